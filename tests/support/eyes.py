"""Eyes for a page: what is cut off, what lies over something else, what sticks out of the window.

Measured on the text as it is laid out, box by box; what scrolls in a frame of its own is looked at
inside the frame. Nothing here knows what the page means.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from playwright.sync_api import Page

_LOOK = r"""() => {
  const faults = [];
  const seen = (element) => {
    if (element.closest(".unseen, .skip, [hidden], option, title, script, style")) return false;
    return element.checkVisibility({ visibilityProperty: true }); // nor inside closed details
  };
  const name = (element) => [
    element.tagName.toLowerCase(), element.id ? "#" + element.id : "",
    element.classList.length ? "." + element.classList[0] : "",
  ].join("");
  const scrolls = (element) => ["auto", "scroll"].includes(getComputedStyle(element).overflowX);
  const root = document.documentElement;
  if (root.scrollWidth > root.clientWidth) {
    faults.push(`the document is ${root.scrollWidth} wide in a window of ${root.clientWidth}`);
  }
  const boxes = [];
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const node = walker.currentNode;
    const element = node.parentElement;
    if (!node.textContent.trim() || !seen(element)) continue;
    let frame = element;
    while (frame && !scrolls(frame)) frame = frame.parentElement;
    const clip = frame && frame !== document.body ? frame.getBoundingClientRect() : null;
    const range = document.createRange();
    range.selectNodeContents(node);
    for (const rect of range.getClientRects()) {
      if (rect.width < 1 || rect.height < 1) continue;
      if (!clip && rect.right > root.clientWidth + 1) {
        const words = node.textContent.trim().slice(0, 40);
        faults.push(`${name(element)} sticks out on the right: ${words}`);
      }
      if (!clip && rect.left < -1) faults.push(`${name(element)} sticks out on the left`);
      const box = clip ? {
        left: Math.max(rect.left, clip.left), right: Math.min(rect.right, clip.right),
        top: Math.max(rect.top, clip.top), bottom: Math.min(rect.bottom, clip.bottom),
      } : { left: rect.left, right: rect.right, top: rect.top, bottom: rect.bottom };
      if (box.right - box.left < 1 || box.bottom - box.top < 1) continue;
      boxes.push({ ...box, element, text: node.textContent.trim().slice(0, 40) });
    }
    for (let cut = element; cut && cut !== document.body; cut = cut.parentElement) {
      const style = getComputedStyle(cut);
      if (["hidden", "clip"].includes(style.overflowX) && cut.scrollWidth > cut.clientWidth + 1) {
        faults.push(`${name(cut)} cuts off: ${node.textContent.trim().slice(0, 40)}`);
        break;
      }
    }
  }
  boxes.sort((one, other) => one.top - other.top);
  for (let first = 0; first < boxes.length; first += 1) {
    const one = boxes[first];
    for (let second = first + 1; second < boxes.length; second += 1) {
      const other = boxes[second];
      if (other.top > one.bottom - 3) break;
      if (one.element === other.element) continue;
      const wide = Math.min(one.right, other.right) - Math.max(one.left, other.left);
      const high = Math.min(one.bottom, other.bottom) - other.top;
      // Sticky headings of rows are meant to cover what scrolls below them.
      if (wide > 2 && high > 4 && !one.element.closest("th") && !other.element.closest("th")) {
        const [this_one, that] = [one, other].map((each) => `${name(each.element)} "${each.text}"`);
        faults.push(`${this_one} lies over ${that}`);
      }
    }
  }
  for (const target of document.querySelectorAll("a, button, input, summary, select")) {
    if (!seen(target) || target.type === "hidden") continue;
    const rect = target.getBoundingClientRect();
    if (rect.width && (rect.height < 15 || rect.width < 8)) {
      const size = [rect.width, rect.height].map(Math.round).join(" by ");
      faults.push(`${name(target)} is ${size} pixels`);
    }
  }
  return [...new Set(faults)];
}"""


def faults_seen(page: Page) -> list[str]:
    """Return what an eye would complain of on a page as it stands, in words."""
    found: list[str] = page.evaluate(_LOOK)
    return found
