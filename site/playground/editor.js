// An editor: CodeMirror in a shadow root, because there its styles need no permission of the page's policy.

import { autocompletion, closeBrackets, closeBracketsKeymap, completionKeymap } from "@codemirror/autocomplete";
import { defaultKeymap, history, historyKeymap } from "@codemirror/commands";
import { bracketMatching, HighlightStyle, indentOnInput, syntaxHighlighting } from "@codemirror/language";
import { lintGutter, lintKeymap, setDiagnostics } from "@codemirror/lint";
import { EditorState } from "@codemirror/state";
import { drawSelection, EditorView, keymap, lineNumbers } from "@codemirror/view";
import { tags } from "@lezer/highlight";

const COLOURS = HighlightStyle.define([
  { tag: [tags.string, tags.special(tags.string)], color: "var(--v-string)" },
  { tag: [tags.number, tags.bool, tags.null, tags.keyword], color: "var(--v-number)" },
  { tag: tags.propertyName, color: "var(--v-key)" },
  { tag: [tags.variableName, tags.function(tags.propertyName)], color: "var(--v-name)" },
  { tag: tags.comment, color: "var(--soft)" },
]);

const THEME = EditorView.theme({
  "&": { color: "var(--text)", backgroundColor: "var(--surface)", height: "100%", fontSize: "13px" },
  "&.cm-focused": { outline: "2px solid var(--accent)" },
  ".cm-scroller": { fontFamily: "var(--mono)", lineHeight: "1.5" },
  ".cm-content": { caretColor: "var(--text)" },
  ".cm-cursor": { borderLeftColor: "var(--text)" },
  ".cm-gutters": { color: "var(--soft)", backgroundColor: "var(--sunken)", borderRight: "1px solid var(--line)" },
  "&.cm-focused > .cm-scroller > .cm-selectionLayer .cm-selectionBackground, .cm-selectionBackground": {
    backgroundColor: "var(--chosen)",
  },
  "&.cm-focused .cm-matchingBracket": { backgroundColor: "var(--chosen)" },
  ".cm-tooltip": { color: "var(--text)", backgroundColor: "var(--surface)", border: "1px solid var(--line)" },
  ".cm-tooltip.cm-tooltip-autocomplete > ul": { fontFamily: "var(--mono)" },
  ".cm-tooltip-autocomplete ul li[aria-selected]": { color: "var(--on-accent)", backgroundColor: "var(--accent)" },
  // CodeMirror's own marks are images in its styles, which a page's policy may forbid.
  ".cm-lintRange": { backgroundImage: "none", textDecoration: "underline wavy var(--bad) 1px", textUnderlineOffset: "3px" },
  ".cm-lintRange-warning": { textDecorationColor: "var(--warm)" },
  ".cm-lint-marker": { content: "normal", width: "9px", height: "9px", margin: "5px 2px 0", borderRadius: "50%" },
  ".cm-lint-marker-error": { content: "normal", backgroundColor: "var(--bad)" },
  ".cm-lint-marker-warning": { content: "normal", backgroundColor: "var(--warm)", borderRadius: "2px" },
  ".cm-diagnostic-error": { borderLeftColor: "var(--bad)" },
  ".cm-diagnostic-warning": { borderLeftColor: "var(--warm)" },
  ".cm-completionDetail": { fontStyle: "normal", opacity: "0.85" },
});

// A browser that puts text in the place of coloured text by itself does that with styles, which a policy may forbid.
function replaced(event, view) {
  const { inputType, data } = event;
  const isPlain = inputType === "insertText" && data && !view.composing && !view.state.selection.main.empty;
  if (!isPlain || /^["'([{]$/.test(data)) return false; // closeBrackets puts a pair around what is selected
  view.dispatch(view.state.replaceSelection(data), { userEvent: "input.type" });
  event.preventDefault();
  return true;
}

export class Editor {
  /** `changed(text)` is called after each change that somebody made; `set` makes none. */
  constructor(parent, { label, extensions, changed }) {
    const root = parent.attachShadow({ mode: "open" });
    this.root = root;
    this.#isSetting = false;
    this.view = new EditorView({
      root,
      parent: root,
      state: EditorState.create({
        extensions: [
          lineNumbers(),
          lintGutter(),
          history(),
          drawSelection(),
          indentOnInput(),
          bracketMatching(),
          closeBrackets(),
          autocompletion(),
          syntaxHighlighting(COLOURS),
          THEME,
          EditorView.lineWrapping,
          EditorView.contentAttributes.of({ "aria-label": label, spellcheck: "false", tabindex: "0" }),
          EditorView.updateListener.of((update) => update.docChanged && !this.#isSetting && changed()),
          EditorView.domEventHandlers({ beforeinput: replaced }),
          keymap.of([...closeBracketsKeymap, ...completionKeymap, ...lintKeymap, ...historyKeymap, ...defaultKeymap]),
          extensions,
        ],
      }),
    });
  }

  #isSetting;

  get text() {
    return this.view.state.doc.toString();
  }

  set(text) {
    this.#isSetting = true;
    this.view.dispatch({ changes: { from: 0, to: this.view.state.doc.length, insert: text } });
    this.#isSetting = false;
  }

  /** Mark problems: [{from, to, text, severity}]; the severity is "error" or "warning". */
  mark(problems) {
    const end = this.view.state.doc.length;
    const diagnostics = problems.map(({ from, to, text, severity = "error" }) => {
      const start = Math.min(from, end);
      return { from: start, to: Math.min(Math.max(to ?? start, start), end), message: text, severity };
    });
    this.view.dispatch(setDiagnostics(this.view.state, diagnostics.sort((one, other) => one.from - other.from)));
  }

  /** "line 3, column 7" of an offset. */
  place(offset) {
    const line = this.view.state.doc.lineAt(Math.min(offset, this.view.state.doc.length));
    return `line ${line.number}, column ${offset - line.from + 1}`;
  }

  go(offset) {
    const at = Math.min(offset, this.view.state.doc.length);
    this.view.dispatch({ selection: { anchor: at }, effects: EditorView.scrollIntoView(at, { y: "center" }) });
    this.view.focus();
  }
}
