"""The two sides of the comparison, each doing the same cycle through its public doors; nothing here measures anything."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Annotated, Any, Protocol

import aiosqlite
import assent
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, AnyMessage, BaseMessage, HumanMessage, ToolMessage
from langchain_core.outputs import ChatGeneration, ChatResult
from langchain_core.runnables import Runnable, RunnableConfig
from langchain_core.tools import BaseTool, tool
from langchain_core.utils.function_calling import convert_to_openai_tool
from langgraph.checkpoint.base import BaseCheckpointSaver
from langgraph.checkpoint.sqlite.aio import AsyncSqliteSaver
from langgraph.graph import END, START, StateGraph
from langgraph.graph.message import add_messages
from langgraph.graph.state import CompiledStateGraph
from langgraph.types import Command, interrupt
from typing_extensions import TypedDict

QUESTION = "Please pay Bob 5 euros for lunch."
ARGUMENTS = {"to": "bob", "amount": 5}
ANSWER = "Paid, as you asked."
REVIEWER = "ada"


class Peer(Protocol):
    """One product on one SQLite file of its own; between pause and resume only a ticket is kept."""

    database: Path
    ran: list[str]
    """Whom the tool paid so far, one entry per call of the tool."""

    async def pause(self, run: str) -> Any:
        """Take the requester's message in; return a ticket once the review is pending on disk."""

    async def resume(self, run: str, ticket: Any) -> None:
        """Approve; return once the tool has run and the answer is on disk."""

    async def answer(self, run: str) -> str:
        """Return the stored answer."""


class Scripted(BaseChatModel):
    """A chat model without latency: proposes the payment, and answers once there is a result."""

    @property
    def _llm_type(self) -> str:
        return "scripted"

    def bind_tools(self, tools: Sequence[Any], **kwargs: Any) -> Runnable[Any, AIMessage]:
        """Bind tools the way LangChain's chat models do."""
        return self.bind(tools=[convert_to_openai_tool(one) for one in tools], **kwargs)

    def _generate(self, messages: list[BaseMessage], *args: Any, **kwargs: Any) -> ChatResult:
        raise NotImplementedError("this model is only asked asynchronously")

    async def _agenerate(self, messages: list[BaseMessage], *args: Any, **kwargs: Any) -> ChatResult:
        if isinstance(messages[-1], ToolMessage):
            reply = AIMessage(ANSWER)
        else:
            reply = AIMessage("", tool_calls=[{"id": "call_1", "name": "transfer", "args": ARGUMENTS}])
        return ChatResult(generations=[ChatGeneration(message=reply)])


def transfer_to(ran: list[str]) -> Callable[..., Any]:
    """Return the function behind the tool; it writes down every call."""

    async def transfer(to: str, amount: int) -> str:
        """Pay an amount to somebody."""
        ran.append(to)
        return f"paid {amount} to {to}"

    return transfer


class Messages(TypedDict):
    """The state of the hand-written graph."""

    messages: Annotated[list[AnyMessage], add_messages]


def hand_written(pay: BaseTool, saver: BaseCheckpointSaver[Any]) -> CompiledStateGraph[Any, Any, Any, Any]:
    """Return stock LangGraph's agent: model, review with an interrupt, tool; async throughout, so no thread pool is used."""
    model = Scripted().bind_tools([pay])

    async def ask(state: Messages) -> dict[str, Any]:
        return {"messages": [await model.ainvoke(state["messages"])]}

    async def review(state: Messages) -> dict[str, Any]:
        call = state["messages"][-1].tool_calls[0]  # type: ignore[union-attr]  # the way here leads through `route`
        if interrupt({"action": call["name"], "args": call["args"]}) != "approve":
            raise ValueError("this graph knows approvals only")
        return {}

    async def act(state: Messages) -> dict[str, Any]:
        call = state["messages"][-1].tool_calls[0]  # type: ignore[union-attr]  # the way here leads through `review`
        return {"messages": [ToolMessage(await pay.ainvoke(call["args"]), tool_call_id=call["id"])]}

    async def route(state: Messages) -> str:
        return "review" if getattr(state["messages"][-1], "tool_calls", None) else END

    graph = StateGraph(Messages).add_node("ask", ask).add_node("review", review).add_node("act", act)
    graph.add_edge(START, "ask").add_conditional_edges("ask", route, ["review", END])
    return graph.add_edge("review", "act").add_edge("act", "ask").compile(checkpointer=saver)


class LangGraphPeer:
    """Stock LangGraph with `durability="sync"`."""

    def __init__(self, database: Path, graph: CompiledStateGraph[Any, Any, Any, Any], ran: list[str]) -> None:
        self.database, self.ran, self._graph = database, ran, graph

    async def pause(self, run: str) -> Any:
        """Ask; LangGraph finds the run again by its thread, so there is no ticket."""
        asked = {"messages": [HumanMessage(QUESTION)]}
        out = await self._graph.ainvoke(asked, _thread(run), durability="sync")
        assert out["__interrupt__"]

    async def resume(self, run: str, ticket: Any) -> None:
        """Answer the interrupt."""
        await self._graph.ainvoke(Command(resume="approve"), _thread(run), durability="sync")

    async def answer(self, run: str) -> str:
        """Return the last message of the thread."""
        return _last(await self._graph.aget_state(_thread(run)))


class AssentPeer:
    """Our own agent with the same chat model; a person approves by review and digest, the worker goes on."""

    def __init__(self, database: Path, desk: assent.Desk, agent: Any, ran: list[str]) -> None:
        self.database, self.ran, self._desk, self._agent = database, ran, desk, agent

    async def pause(self, run: str) -> Any:
        """Ask; the ticket is what the interrupt tells any client: the review and the digest of what was shown."""
        out = await self._agent.ainvoke({"messages": [("user", QUESTION)]}, _thread(run))
        shown = out["__interrupt__"][0].value
        return shown["review"], shown["digest"]

    async def resume(self, run: str, ticket: Any) -> None:
        """Decide at the desk and let the worker do what is due."""
        review, digest = ticket
        await self._desk.decide(review, assent.Approve(digest=digest), REVIEWER)
        await self._desk.drain()

    async def answer(self, run: str) -> str:
        """Return the last message of the thread."""
        return _last(await self._agent.aget_state(_thread(run)))


def _thread(run: str) -> RunnableConfig:
    return {"configurable": {"thread_id": run, "requester": "customer"}}


def _last(snapshot: Any) -> str:
    return str(snapshot.values["messages"][-1].content)


@asynccontextmanager
async def langgraph(folder: Path) -> AsyncIterator[Peer]:
    """Open stock LangGraph on a new file; every commit is synced, as in Assent."""
    database, ran = folder / "langgraph.db", list[str]()
    async with aiosqlite.connect(str(database)) as connection:
        await connection.execute("PRAGMA synchronous=FULL")
        saver = AsyncSqliteSaver(connection)
        await saver.setup()
        yield LangGraphPeer(database, hand_written(tool(transfer_to(ran)), saver), ran)


@asynccontextmanager
async def our_own(folder: Path) -> AsyncIterator[Peer]:
    """Open Assent on a new file, with one reviewer and a policy under which everything is reviewed."""
    database, ran = folder / "assent.db", list[str]()
    async with assent.open(f"sqlite:///{database}") as desk:
        await desk.users.add(REVIEWER, role="operator")
        pay = assent.action(consequence="costly")(transfer_to(ran))
        agent = desk.agent(Scripted(), [pay], policy=assent.Policy(()))
        yield AssentPeer(database, desk, agent, ran)


PEERS: dict[str, Callable[[Path], AbstractAsyncContextManager[Peer]]] = {"LangGraph": langgraph, "Assent": our_own}
"""The reference first."""
