import { describe, expect, it } from 'vitest'
import { problem } from '../../../core/shared/problem.ts'
import { failed, ok, type Result } from '../../../core/shared/result.ts'
import type { AppendRequest } from '../../../ports/store.ts'
import { createAppendGroup } from './append-group.ts'

const requestFor = (stream: string): AppendRequest => ({
  stream,
  expectedRevision: 1,
  epoch: 1,
  at: 0,
  events: [],
  schemaVersion: 2,
  state: {},
  due: null,
  messages: [],
  documents: [],
})

type Answer = PromiseWithResolvers<Result<boolean[]>>

/** Statements are answered when the test says so. */
function group() {
  const sent: { streams: string[]; session: string; answer: Answer }[] = []
  const append = createAppendGroup((session, requests) => {
    const answer: Answer = Promise.withResolvers()
    sent.push({ session, streams: requests.map(({ stream }) => stream), answer })
    return answer.promise
  })
  return {
    sent,
    append: (stream: string, session = 'mine') => append(session, requestFor(stream)),
    finish: async (index: number) => {
      const one = sent[index]
      one?.answer.resolve(ok(one.streams.map(() => true)))
      await Promise.resolve()
    },
  }
}

describe('appends that go together', () => {
  it('sends one that comes alone at once, and what comes while two are under way in the next statement', async () => {
    const { sent, append, finish } = group()
    const all = ['a', 'b', 'c', 'd'].map((stream) => append(stream))
    expect(sent.map(({ streams }) => streams)).toEqual([['a'], ['b']])
    await finish(0)
    await all[0]
    expect(sent[2]?.streams).toEqual(['c', 'd'])
    await finish(1)
    await finish(2)
    expect(await Promise.all(all)).toEqual([ok(true), ok(true), ok(true), ok(true)])
  })

  it('never has a stream twice in a statement, nor those of two sessions', async () => {
    const { sent, append, finish } = group()
    const all = ['a', 'b', 'c', 'c'].map((stream) => append(stream))
    const other = append('d', 'another')
    for (const index of [0, 1, 2, 3, 4]) {
      await finish(index)
      await all[index]
    }
    await other
    expect(sent.map(({ session, streams }) => `${session} ${streams.join()}`)).toEqual([
      'mine a',
      'mine b',
      'mine c',
      'mine c',
      'another d',
    ])
  })

  it('lets each be tried by itself when a statement of several fails', async () => {
    const { sent, append, finish } = group()
    const all = ['a', 'b', 'c', 'd'].map((stream) => append(stream))
    await finish(0)
    await all[0]
    await finish(1)
    sent[2]?.answer.reject(new Error('invalid byte sequence'))
    expect(await Promise.all(all.slice(2))).toEqual([ok(false), ok(false)])
  })

  it('tells all when nobody knows whether they were written: trying again blindly could write twice', async () => {
    const { sent, append, finish } = group()
    const all = ['a', 'b', 'c', 'd'].map((stream) => append(stream))
    await finish(0)
    await all[0]
    await finish(1)
    const lost = failed(
      problem('STORE_ANSWER_LOST', { message: 'Nobody knows.', remedy: 'Look.', retryable: true }),
    )
    sent[2]?.answer.resolve(lost)
    expect(await Promise.all(all.slice(2))).toEqual([lost, lost])
  })

  it('throws for one that failed alone', async () => {
    const { sent, append } = group()
    const one = append('a')
    sent[0]?.answer.reject(new Error('no'))
    await expect(one).rejects.toThrow('no')
  })

  it('sends at most a hundred in one statement', async () => {
    const { sent, append, finish } = group()
    const all = Array.from({ length: 252 }, (_, index) => append(`s${index}`))
    for (let index = 0; index < 5; index += 1) {
      await finish(index)
      await all[index]
    }
    await Promise.all(all)
    expect(sent.map(({ streams }) => streams.length)).toEqual([1, 1, 100, 100, 50])
  })
})
