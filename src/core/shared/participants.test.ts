import { describe, expect, it } from 'vitest'
import { takesPart } from './participants.ts'
import { participantsText } from './request-match-text.ts'
import type { Participants, RequestMatch } from './side-routes.ts'

const country = (value: string): RequestMatch => ({ kind: 'exact', in: 'header', name: 'x-country', value })
const PRO: RequestMatch = { kind: 'pattern', in: 'cookie', name: 'plan', pattern: 'pro-*' }
const WHERE: Participants = [[country('de'), country('at')], [PRO]]
const fitting = (...those: RequestMatch[]) =>
  takesPart(WHERE, (match) => those.some((one) => JSON.stringify(one) === JSON.stringify(match)))

describe('who takes part in a test', () => {
  it('is of whom all conditions are so, each in one of its values', () => {
    expect(fitting(country('at'), PRO)).toBe(true)
    expect(fitting(country('de'), PRO)).toBe(true)
    expect(fitting(country('de'), country('at'))).toBe(false)
    expect(fitting(PRO)).toBe(false)
    expect(fitting()).toBe(false)
  })

  it('is everybody without conditions', () => {
    expect(takesPart(undefined, () => false)).toBe(true)
  })

  it('is said in words, a place once for several values', () => {
    expect(participantsText(WHERE)).toBe('header x-country is "de" or "at", and cookie plan fits "pro-*"')
  })
})
