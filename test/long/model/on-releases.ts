import { expect } from 'vitest'
import { ReleasesAnswer } from '../../../src/cli/answers.ts'
import { EXIT_CODE } from '../../../src/core/rollout/outcome.ts'
import { act, begunIn, type Done, nothingMoved } from './act.ts'
import { learnWayBack, newNote } from './by-hand.ts'
import { type Knowledge, lookWith } from './knowledge.ts'
import { allows } from './look.ts'
import type { Face } from './order.ts'
import { pastRollouts, type Shop, type Version } from './shop.ts'

export type Deploy = { version: Version; face: Face; how: '' | '--retry' | '--full' | '--now' | '--no-wait' }

/** Newest wins: what was deployed last is stable, in progress, or next. */
export async function deploy(known: Knowledge, shop: Shop, { version, face, how }: Deploy): Promise<void> {
  const flags = how === '' ? [] : [how]
  const input = {
    version,
    retry: how === '--retry',
    full: how === '--full',
    now: how === '--now',
    wait: how !== '--no-wait',
  }
  const words = ['deploy', version, '--yes', '--no-watch', ...flags]
  const order = { words, operation: 'deploy', input, note: newNote() }
  const done = await act(known, shop, { face, order, action: null })
  const { reply, before, after } = done
  if (reply.code !== 0) {
    expectReasonToRefuse(known, shop, { ...done, version, how })
    return
  }
  if (how === '--full' && reply.rollout !== null) known.confirmed.add(reply.rollout)
  const isKept = before.view.stable?.version === version || before.view.rollout?.to.version === version
  if (how !== '--retry' && !isKept)
    expect(known.blocked, `${version} is blocked by hand and was taken: ${reply.text}`).not.toContain(version)
  if (!nothingMoved(shop, done) && reply.rollout === null) return
  const { view } = reply
  const places = [view?.rollout?.id, view?.queued?.rollout]
  if (reply.rollout !== null) expect(places, reply.text).toContain(reply.rollout)
  else expect(after.view.stable?.version).toBe(version)
}

const REFUSALS = new Set(['RELEASE_BLOCKED', 'BREAKER_OPEN', 'FROZEN', 'PLAN_MOVED'])

function expectReasonToRefuse(
  known: Knowledge,
  shop: Shop,
  { before, after, reply, how, version }: Done & Pick<Deploy, 'how' | 'version'>,
): void {
  expect(REFUSALS, reply.text).toContain(reply.problem)
  if (!nothingMoved(shop, { before, after })) return
  expect(reply.problem, reply.text).not.toBe('PLAN_MOVED')
  if (reply.problem === 'BREAKER_OPEN') expect(allows(before, 'deploy')).toBe(false)
  if (reply.problem === 'FROZEN') {
    expect(how).toBe('--no-wait')
    expect(before.view.freeze).not.toBeNull()
  }
  if (reply.problem === 'RELEASE_BLOCKED') expect(how, reply.text).not.toBe('--retry')
  if (!known.blocked.has(version) && reply.problem === 'RELEASE_BLOCKED')
    expect(failedBefore(shop, version), `${version} is blocked and never failed`).toBe(true)
}

const failedBefore = ({ stack }: Shop, version: Version): boolean =>
  stack.journal().some(({ event }) => event.kind === 'release-blocked' && event.block.version === version)

/** The exit code of a deploy that is followed is the outcome of just that rollout. */
export async function deployAndWatch(known: Knowledge, shop: Shop, version: Version): Promise<void> {
  await lookWith(known, shop)
  const earlier = new Set(begunIn(shop).map(({ id }) => id))
  const going = (await shop.stack.view()).rollout
  const { code, out, err } = await shop.stack.cli('deploy', version, '--yes', '--timeout', '5s')
  known.paused = null
  const { promoted, waiting, refused, superseded, failed, aborted, rolled_back } = EXIT_CODE
  const text = `exit ${code}\n${out}\n${err}`
  expect([promoted, waiting, refused, superseded, failed, aborted, rolled_back], text).toContain(code)
  for (const { id, version: one } of begunIn(shop))
    if (one === version && !earlier.has(id)) known.begun.add(id)
  if (code === promoted || code === waiting || code === refused) return
  const mine = (await pastRollouts(shop)).find(({ id, to }) => to.version === version && !earlier.has(id))
  const outcome = mine?.outcome ?? (going?.to.version === version ? going.outcome : null)
  if (outcome !== null) expect(EXIT_CODE[outcome], text).toBe(code)
  await lookWith(known, shop)
}

/** What the list of releases calls ready for a rollback, a rollback takes; and nothing else. */
export async function rollbackTo(known: Knowledge, shop: Shop, version: Version, face: Face): Promise<void> {
  const { releases } = await shop.stack.call('list_releases', {}, ReleasesAnswer)
  const ready = releases.find((release) => release.version === version)?.rollbackReady ?? false
  const words = ['rollback', '--to', version, '--no-watch']
  const order = { words, operation: 'rollback', input: { to: version }, note: newNote() }
  const done = await act(known, shop, { face, order, action: null })
  if (done.reply.code === 0) learnWayBack(known, done.reply.rollout)
  const isStable = done.before.view.stable?.version === version
  if (isStable || !nothingMoved(shop, done)) return
  if (done.reply.code !== 0)
    expect(ready, `${version} was ready for a rollback: ${done.reply.text}`).toBe(false)
}

export async function block(known: Knowledge, shop: Shop, version: Version, face: Face): Promise<void> {
  const order = {
    words: ['release', 'block', version],
    operation: 'block_release',
    input: { release: version },
    note: newNote(),
  }
  const { reply } = await act(known, shop, { face, order, action: null })
  if (reply.code === 0) known.blocked.add(version)
  else expect(reply.problem).toBe('RELEASE_NOT_FOUND')
}

export async function unblock(known: Knowledge, shop: Shop, version: Version, face: Face): Promise<void> {
  const order = {
    words: ['release', 'unblock', version],
    operation: 'unblock_release',
    input: { release: version },
    note: newNote(),
  }
  const { reply } = await act(known, shop, { face, order, action: null })
  if (reply.code !== 0) {
    expect(reply.problem).toBe('NOT_BLOCKED')
    expect(known.blocked, reply.text).not.toContain(version)
  }
  known.blocked.delete(version)
}

/** 0 nothing to do, 3 changes, 13 it cannot be done: as the deploy would say. */
export async function plan(known: Knowledge, shop: Shop, version: Version): Promise<void> {
  const before = await lookWith(known, shop)
  const { code, out, err } = await shop.stack.cli('plan', version)
  const after = await lookWith(known, shop)
  const text = `exit ${code}\n${out}\n${err}`
  expect([EXIT_CODE.promoted, EXIT_CODE.planHasChanges, EXIT_CODE.refused], text).toContain(code)
  if (!nothingMoved(shop, { before, after })) return
  const isStable = before.view.stable?.version === version
  expect(code === EXIT_CODE.promoted, text).toBe(isStable)
  if (isStable) return
  if (known.blocked.has(version) || !allows(before, 'deploy')) expect(code, text).toBe(EXIT_CODE.refused)
  else if (!failedBefore(shop, version)) expect(code, text).toBe(EXIT_CODE.planHasChanges)
}
