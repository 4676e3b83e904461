"""x"""
import gradio as gr
from ..card import TopBar
def build(*a): 
    gr.Navbar(main_page_name="Review"); TopBar()
