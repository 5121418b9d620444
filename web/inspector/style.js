/* How the inspector looks, in light and dark. */

export const STYLE = `
:host { all: initial; color-scheme: light dark; }
aside {
  position: fixed; inset: auto 0 0 auto; z-index: 2147483647; box-sizing: border-box; width: min(30rem, 100vw);
  max-height: 60vh; display: flex; flex-direction: column; font: 14px/1.4 system-ui, sans-serif; color: #1b1f24;
  background: #fff; border: 1px solid #8a929c; border-radius: 8px 0 0 0;
}
header { display: flex; gap: 8px; padding: 8px 12px; align-items: center; border-bottom: 1px solid #8a929c; }
header strong { flex: 1; }
button { font: inherit; color: inherit; background: #eef0f3; border: 1px solid #8a929c; border-radius: 4px; padding: 2px 10px; }
.body { overflow: auto; padding: 8px 12px; }
dl { display: grid; grid-template-columns: auto 1fr; gap: 2px 12px; margin: 0 0 8px; }
dt { color: #4b535d; }
dd { margin: 0; overflow-wrap: anywhere; }
ol { list-style: none; margin: 0; padding: 0; }
li { border-top: 1px solid #d5dae0; padding: 4px 0; }
li.FullStory { padding-left: 24px; }
li.message { padding-left: 12px; }
summary { cursor: pointer; overflow: hidden; text-overflow: ellipsis; white-space: nowrap; }
.kind { color: #4b535d; margin-right: 6px; }
time { color: #4b535d; margin-left: 6px; }
code { font: 12px ui-monospace, monospace; }
pre { margin: 4px 0; overflow: auto; background: #f3f5f7; padding: 6px; }
.v-name, .v-key { color: #0b4f9e; }
.v-string { color: #7a3e00; }
.v-number, .v-boolean, .v-date, .v-bigint { color: #1b6b36; }
@media (prefers-color-scheme: dark) {
  aside { color: #e8ebee; background: #1b1f24; }
  button { background: #2c333b; }
  li { border-color: #3a424c; }
  pre { background: #12151a; }
  dt, .kind, time { color: #b3bcc6; }
  .v-name, .v-key { color: #8cc2ff; }
  .v-string { color: #ffbf80; }
  .v-number, .v-boolean, .v-date, .v-bigint { color: #8fe0ab; }
}`;
