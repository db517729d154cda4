"""A file of any size from the browser to the server's disk, with progress: the browser's side of
grouprec/ui/server/uploads.py.

Streamlit's uploader serves small files; this one streams. It is a component because a page cannot send a request with
a header of its own, nor show how far the browser is.
"""

from __future__ import annotations

import streamlit as st
from streamlit.components.v2 import component

from grouprec.core.language import Glossary
from grouprec.ui.server import uploads

_HTML = """<div class="row">
  <label class="button" id="label"><span id="choose"></span><input type="file" id="file" /></label>
  <button class="button" id="stop" type="button" hidden></button>
  <div class="said">
    <div id="text" role="status" aria-live="polite"></div>
    <progress id="bar" max="1" value="0"></progress>
  </div>
</div>"""

_CSS = """.row { display: flex; gap: 0.75rem; align-items: center; min-height: 3.5rem; font-family: var(--st-font);
  color: var(--st-text-color); font-size: 0.9rem; }
.button { position: relative; border: 1px solid var(--st-border-color); border-radius: var(--st-button-radius);
  padding: 0.4rem 0.9rem; background: var(--st-background-color); color: inherit; font: inherit; cursor: pointer;
  white-space: nowrap; }
.button:hover { border-color: var(--st-primary-color); color: var(--st-primary-color); }
.button:focus-within, .button:focus-visible { outline: 2px solid var(--st-primary-color); outline-offset: 2px; }
.button[hidden] { display: none; }
input[type=file] { position: absolute; inset: 0; opacity: 0; width: 100%; cursor: pointer; }
.said { flex: 1; min-width: 0; }
#text { overflow: hidden; text-overflow: ellipsis; min-height: 1.3em; }
progress { width: 100%; height: 0.4rem; accent-color: var(--st-primary-color); visibility: hidden; }
.busy progress { visibility: visible; }
.failed #text { color: var(--st-red-text-color, #b3261e); }"""

_JS = """export default function ({ data, parentElement, setTriggerValue }) {
  const at = (id) => parentElement.querySelector("#" + id)
  const say = (name, told = {}) => data.words[name].replace(/\\{(\\w+)\\}/g, (all, field) => told[field])
  const row = parentElement.querySelector(".row"), file = at("file"), stop = at("stop"), label = at("label")
  const size = (n) => n < 1e9 ? Math.ceil(n / 1e6) + " MB" : (n / 1e9).toFixed(1) + " GB"
  const show = (text, busy, failed) => {
    at("text").textContent = text
    row.classList.toggle("busy", busy)
    row.classList.toggle("failed", !!failed)
    stop.hidden = !busy
    label.hidden = busy
  }
  at("choose").textContent = say("choose")
  stop.textContent = say("stop")
  at("bar").setAttribute("aria-label", say("sent"))
  if (!row.classList.contains("busy") && !at("text").textContent) show(say("most", { size: size(data.most) }), false)
  file.onchange = () => {
    const chosen = file.files[0]
    if (!chosen) return
    if (chosen.size > data.most) return show(say("larger", { size: size(data.most) }), false, true)
    const begun = Date.now(), request = new XMLHttpRequest()
    request.open("POST", new URL("api/upload?name=" + encodeURIComponent(chosen.name), document.baseURI))
    request.setRequestHeader(data.header, data.key)
    request.upload.onprogress = (event) => {
      const share = event.total ? event.loaded / event.total : 0
      const left = share > 0.02 ? Math.ceil((Date.now() - begun) / 1000 * (1 - share) / share) : null
      at("bar").value = share
      const wait = left < 90 ? say("seconds", { n: left }) : say("minutes", { n: Math.round(left / 60) })
      const rest = left === null ? "" : say("rest", { wait: wait })
      const of = { name: chosen.name, size: size(event.loaded), all: size(event.total), rest: rest }
      show(say("part", of), true)
    }
    request.onload = () => {
      let answer = {}
      try { answer = JSON.parse(request.responseText) } catch (error) { answer = {} }
      if (request.status !== 200) return show(answer.error || say("refused"), false, true)
      show(say("received", { name: chosen.name, size: size(answer.bytes) }), false)
      setTriggerValue("received", answer.id)
    }
    request.onerror = () => show(say("broken"), false, true)
    request.onabort = () => show(say("stopped"), false)
    stop.onclick = () => request.abort()
    at("bar").value = 0
    show(say("starting", { name: chosen.name }), true)
    request.send(chosen)
    file.value = ""
  }
}"""

_WORDS = Glossary(
    {
        "choose": "Choose a file",
        "stop": "Stop",
        "sent": "Sent so far",
        "most": "Up to {size}.",
        "larger": "This file is larger than {size}.",
        "seconds": "{n} s",
        "minutes": "{n} min",
        "rest": ", about {wait} left",
        "part": "{name}: {size} of {all}{rest}",
        "refused": "The server refused the file.",
        "received": "{name}: {size} received",
        "broken": "The connection broke; choose the file again.",
        "stopped": "Stopped; nothing was kept.",
        "starting": "{name}: starting",
    }
)

_component = component("grouprec_upload", html=_HTML, css=_CSS, js=_JS)


def stream_file(key: str) -> str | None:
    """Draw the button that streams a file; return the id of the upload in the script run of its arrival, else None."""
    data = {"header": uploads.KEY_HEADER, "key": session_key(), "most": uploads.MOST_BYTES}
    data["words"] = dict(_WORDS)
    return _component(key=key, data=data, on_received_change=lambda: None).received


def session_key() -> str:
    """Return this session's key for sending files."""
    if "upload_key" not in st.session_state:
        st.session_state["upload_key"] = uploads.issue_key()
    return st.session_state["upload_key"]
