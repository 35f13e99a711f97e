import { expect, it } from 'vitest'
import { actorName } from './caller.ts'

it.each([
  ['ada', 'ada'],
  ['ada@host-1', 'ada@host-1'],
  ['  ada   l. ', 'ada l.'],
  ['ada\u001b[31m<script>', 'ada31mscript'],
  ['', 'somebody'],
  ['\u0007', 'somebody'],
  [undefined, 'somebody'],
  ['x'.repeat(100), 'x'.repeat(64)],
])('takes the name of the caller from %j', (header, name) => {
  expect(actorName(header, 'somebody')).toBe(name)
})
