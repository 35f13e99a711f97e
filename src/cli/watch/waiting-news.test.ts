import { describe, expect, it } from 'vitest'
import type { RolloutView } from '../../core/rollout/view/view.ts'
import { NOW, rolloutView, serviceView } from '../fixture/view.test.fixture.ts'
import { NOTHING_TOLD, TELL_AGAIN_MS, waitingNews } from './waiting-news.ts'

type Look = {
  seconds: number
  kind?: 'data' | 'criteria' | 'time'
  message?: string
  step?: number
  warnings?: string[]
}

/** The lines that a row of looks leads to. */
function told(looks: readonly Look[]): string[] {
  let state = NOTHING_TOLD
  return looks.flatMap(
    ({ seconds, kind = 'data', message = `${seconds} of 100`, step = 5, warnings = [] }) => {
      const waitingOn: RolloutView['waitingOn'] = { kind, who: 'sluice', until: null, message }
      const rollout = rolloutView({ waitingOn, step: { index: step, total: 9 } })
      const news = waitingNews(serviceView({ asOf: NOW + seconds * 1000, rollout, warnings }), state)
      state = news.told
      return news.texts
    },
  )
}

describe('what a rollout waits for', () => {
  it('is told once a step and then at most every 30 s while it is about numbers', () => {
    const looks = Array.from({ length: 65 }, (_, seconds): Look => ({ seconds }))
    expect(TELL_AGAIN_MS).toBe(30_000)
    expect(told(looks)).toEqual(['waiting: 0 of 100', 'waiting: 30 of 100', 'waiting: 60 of 100'])
  })

  it('is told anew with the next step', () => {
    expect(told([{ seconds: 1 }, { seconds: 2, step: 7 }])).toEqual([
      'waiting: 1 of 100',
      'waiting: 2 of 100',
    ])
  })

  it('takes data and criteria as one wait, and does not repeat the wait they interrupt', () => {
    expect(
      told([
        { seconds: 1, kind: 'time', message: 'step time' },
        { seconds: 2, kind: 'data' },
        { seconds: 3, kind: 'criteria' },
        { seconds: 4, kind: 'time', message: 'step time' },
      ]),
    ).toEqual(['waiting: step time', 'waiting: 2 of 100'])
  })

  it('comes with trouble of the parts around it, and with what to do about that', () => {
    const warnings = ['The built-in proxy does not answer on /run/proxy.sock.']
    const line =
      '! WARNING: The built-in proxy does not answer on /run/proxy.sock. What to do: run `sluice doctor`.'
    const time = { kind: 'time' as const, message: 'the router' }
    expect(
      told([
        { ...time, seconds: 0, warnings },
        { ...time, seconds: 1, warnings },
        { ...time, seconds: 31, warnings },
        { ...time, seconds: 32 },
        { ...time, seconds: 33, warnings },
      ]),
    ).toEqual(['waiting: the router', line, line, line])
  })
})
