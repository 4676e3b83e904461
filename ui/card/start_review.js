reviewDesk(element.querySelector('.rc-root'));
