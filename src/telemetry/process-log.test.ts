import { expect, it } from 'vitest'
import { createProcessLog } from './process-log.ts'

function logWith(level: string | undefined) {
  const lines: string[] = []
  const log = createProcessLog(
    'proxy',
    { write: (line) => void lines.push(line) },
    { SLUICE_LOG_LEVEL: level },
  )
  return { log, lines: () => lines.map((line): unknown => JSON.parse(line)) }
}

it('writes a line of JSON with time, level, component and pid, and the fields beside them', () => {
  const { log, lines } = logWith(undefined)
  log.info({ stream: 'shop.local' }, 'listener opened')
  expect(lines()).toEqual([
    {
      time: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/),
      level: 'info',
      component: 'proxy',
      pid: process.pid,
      stream: 'shop.local',
      msg: 'listener opened',
    },
  ])
})

it.each([
  [undefined, 3],
  ['debug', 4],
  ['WARN', 2],
  ['error', 1],
])('keeps what is below the level %s to itself', (level, count) => {
  const { log, lines } = logWith(level)
  for (const each of ['debug', 'info', 'warn', 'error'] as const) log[each]('said')
  expect(lines()).toHaveLength(count)
})

it('says that a level does not exist, and goes on with info', () => {
  const { log, lines } = logWith('loud')
  log.info('said')
  expect(lines()).toMatchObject([
    { level: 'warn', wanted: 'loud' },
    { level: 'info', msg: 'said' },
  ])
})
