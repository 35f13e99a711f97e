import { describe, expect, it } from 'vitest'
import type { RouteSet } from '../core/shared/routes.ts'
import { newUser, StickySplit, userIn } from './sticky.ts'

const USERS = 100_000
const CANDIDATE = 'shop@2'
const setOf = (release: string, weightPermille: number): RouteSet => ({
  release,
  version: release,
  weightPermille,
  instances: [],
})
const splitAt = (permille: number, salt = 'rollout-1') =>
  new StickySplit({ salt, release: CANDIDATE }, [
    setOf('shop@1', 1000 - permille),
    setOf(CANDIDATE, permille),
  ])
/** As after restarts, and in several workers: nobody knows anything but the routes. */
const workersAt = (permille: number) => Array.from({ length: 4 }, () => splitAt(permille))
const someone = <T>(all: readonly T[]): T => all[Math.floor(Math.random() * all.length)] as T
const newUsers = (count: number) => Array.from({ length: count }, newUser)

const shareOnCandidate = (split: StickySplit, users: readonly string[]): number =>
  (100 * users.filter((user) => split.seatOf(user)?.release === CANDIDATE).length) / users.length

describe('sticky split', () => {
  it('gives new users the declared share, within a point over 100,000 of them at every weight (S46)', () => {
    for (const permille of [10, 50, 100, 250, 500, 900]) {
      const share = shareOnCandidate(splitAt(permille), newUsers(USERS))
      expect(Math.abs(share - permille / 10), `${permille} per mille: ${share}%`).toBeLessThan(1)
    }
  })

  it('never moves a user back while the weights rise, whichever worker answers (S46)', () => {
    const users = newUsers(USERS)
    const onCandidate = new Set<string>()
    for (const permille of [10, 50, 100, 250, 500, 1000]) {
      const workers = workersAt(permille)
      for (const user of users) {
        const isOn = someone(workers).seatOf(user)?.release === CANDIDATE
        if (onCandidate.has(user)) expect(isOn).toBe(true)
        if (isOn) onCandidate.add(user)
      }
      const share = (100 * onCandidate.size) / USERS
      expect(Math.abs(share - permille / 10)).toBeLessThan(1)
    }
  })

  it('keeps the share of new users although nobody leaves the candidate any more (S46)', () => {
    // The trap: where only the candidate is sticky, everybody who comes back often ends up there.
    const split = splitAt(100)
    const users = newUsers(10_000)
    for (let visit = 0; visit < 20; visit += 1)
      expect(Math.abs(shareOnCandidate(split, users) - 10)).toBeLessThan(1.5)
  })

  it('spreads ids that look alike as evenly as others', () => {
    const alike = Array.from(
      { length: USERS },
      (_, at) => `00000000-0000-4000-8000-${at.toString(16).padStart(12, '0')}`,
    )
    expect(Math.abs(shareOnCandidate(splitAt(250), alike) - 25)).toBeLessThan(1)
  })

  it('chooses other users in another rollout', () => {
    const users = newUsers(20_000)
    const before = users.filter((user) => splitAt(100, 'rollout-1').seatOf(user)?.release === CANDIDATE)
    expect(Math.abs(shareOnCandidate(splitAt(100, 'rollout-2'), before) - 10)).toBeLessThan(4)
  })

  it('sends users beyond a weight that fell back to stable, and all of them at 0 (S47)', () => {
    const users = newUsers(USERS)
    expect(Math.abs(shareOnCandidate(splitAt(100), users) - 10)).toBeLessThan(1)
    expect(shareOnCandidate(splitAt(0), users)).toBe(0)
  })

  it('has nothing to keep apart once one release has everything', () => {
    expect([0, 100, 1000].map((permille) => splitAt(permille).divides)).toEqual([false, true, false])
  })

  it('takes only ids that it gave', () => {
    expect(userIn(newUser())).not.toBeNull()
    for (const cookie of [null, '', 'x', `${newUser()}0`, newUser().toUpperCase()])
      expect(userIn(cookie)).toBeNull()
  })
})
