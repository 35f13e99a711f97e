import { describe, expect, it } from 'vitest'
import { evidenceLines } from './evidence.ts'

describe('evidence', () => {
  it('is weighed in one line, with its numbers rounded', () => {
    expect(
      evidenceLines({
        check: 'errors',
        logE: 6.019283,
        logThreshold: 5.70378,
        rate: 2.33333,
        share: 0.0123456,
      }),
    ).toEqual(['evidence 6.0 of 5.7 needed', 'check: errors', 'rate: 2.33', 'share: 0.0123'])
  })

  it('keeps a weight without its threshold as a fact, rounded', () => {
    expect(evidenceLines({ logE: 6.019283, inside: { more: 1.23456 } })).toEqual([
      'log e: 6.02',
      'inside: {"more":1.23}',
    ])
  })
})
