import { expect, it } from 'vitest'
import { ok } from '../../../core/shared/result.ts'
import { readSession, Worker, workersOf } from './worker.ts'

const worker = (answer: string) => new Worker(async () => ok(answer), 7)
const kindOf = async (done: Promise<{ kind: string }>) => (await done).kind

it('takes an answer for a success only if it reads like one', async () => {
  expect(await kindOf(worker('').setState('b/s', 'ready'))).toBe('ok')
  expect(await kindOf(worker('No such server.').setState('b/s', 'ready'))).toBe('failed')
  expect(await kindOf(worker('New server registered.').addServer('b/s', ''))).toBe('ok')
  expect(await kindOf(worker('').addServer('b/s', ''))).toBe('failed')
  expect(
    await kindOf(worker('Already exists a server with the same name in backend.').addServer('b/s', '')),
  ).toBe('failed')
  expect(await kindOf(worker('No such server.').deleteServer('b/s'))).toBe('ok')
  expect(await kindOf(worker('Unknown map identifier. Please use #<id> or <file>.').map('m'))).toBe('failed')
  expect(await kindOf(worker("Can't find the target PID matching the prefix '@!7'").stats())).toBe('failed')
})

it('knows an upgraded connection by its lack of analysers', () => {
  const line = (rq: string, rp: string) =>
    `0x5a: proto=tcpv4 src=1.2.3.4:5 fe=f be=b1 srv=s1 ts=00 age=1d2h3m4s calls=2 rq[f=c40080h,i=0,an=${rq}h,rx=,wx=,ax=] rp[f=8h,i=0,an=${rp}h,rx=58s,wx=,ax=] scf=[8,0h,fd=15]`
  const ageMs = ((26 * 60 + 3) * 60 + 4) * 1000
  expect(readSession(line('00', '00'))).toEqual([
    { id: '0x5a', backend: 'b1', server: 's1', isTunnel: true, ageMs },
  ])
  expect(readSession(line('8000', '1400000'))[0]?.isTunnel).toBe(false)
  expect(readSession(line('00', '1400000'))[0]?.isTunnel).toBe(false)
  expect(readSession('0x1: proto=sockpair src=unix:2 fe=GLOBAL be=<NONE> srv=<none> ts=00')).toEqual([])
})

it('reads which workers there are, and how often a reload failed', async () => {
  const text = `#<PID>          <type>          <reloads>       <uptime>        <version>
21483           master          2 [failed: 1]   0d00h03m29s     2.6.12
# workers
24478           worker          0               0d00h00m01s     2.6.12
# old workers
21958           worker          1               0d00h02m51s     2.6.12
# programs
`
  const workers = await workersOf(async () => ok(text))
  expect(workers).toEqual(ok({ current: 24478, old: [21958], failedReloads: 1 }))
})
