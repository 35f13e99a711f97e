import { expect, test } from 'vitest'
import { terminalPage } from './terminal-page.ts'

const ESC = '\u001b'

test('shows a colour, a shade of 256 and the end of both', () => {
  const page = terminalPage(`${ESC}[1;32mgood${ESC}[0m plain ${ESC}[38;5;196mred${ESC}[39m`)
  expect(page).toContain('color:#57ab5a;background:transparent;font-weight:700;opacity:1">good<')
  expect(page).toContain('color:#adbac7;background:transparent;font-weight:400;opacity:1"> plain <')
  expect(page).toContain('color:rgb(255 0 0)')
})

test('keeps what follows a shade in the same sequence', () => {
  expect(terminalPage(`${ESC}[38;5;196;1mloud`)).toContain('font-weight:700')
})

test('shows text as text', () => {
  expect(terminalPage('<b>&')).toContain('&lt;b&gt;&amp;')
})
