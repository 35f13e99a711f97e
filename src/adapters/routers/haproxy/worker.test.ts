import { expect, it } from 'vitest'
import { ok } from '../../../core/shared/result.ts'
import { readCertificate } from './certificate-in-force.ts'
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

it('reads the certificate that HAProxy shows, by its names or else by its common name', () => {
  const text = (names: string) =>
    `Filename: s1.pem\nStatus: Used\nSerial: 2667\nnotBefore: Nov 22 13:12:43 2026 GMT\nnotAfter: Feb 20 13:12:43 2027 GMT\nSubject Alternative Name: ${names}\nAlgorithm: EC256\nSHA1 FingerPrint: 75382701E02D272B8E9D8DFDAB35B6A41430EB66\nSubject: /C=AT/CN=a.org\nIssuer: /CN=a.org`
  expect(readCertificate(text('DNS:a.org, DNS:*.a.org, IP Address:127.0.0.1'))).toEqual({
    fingerprint: '75382701E02D272B8E9D8DFDAB35B6A41430EB66',
    validUntil: Date.UTC(2027, 1, 20, 13, 12, 43),
    names: ['a.org', '*.a.org', '127.0.0.1'],
  })
  expect(readCertificate(text(''))?.names).toEqual(['a.org'])
  expect(
    readCertificate("Can't display the certificate: Not found or the certificate is a bundle!"),
  ).toBeNull()
})

it('tells nothing of a key when HAProxy does not take it', async () => {
  const asked: string[] = []
  const refusing = new Worker(async (line) => {
    asked.push(line)
    return ok(line.includes(' set ') ? 'Transaction created for certificate s1.pem!' : "Can't commit s1.pem!")
  }, 7)
  const done = await refusing.setCertificate(
    's1.pem',
    '-----BEGIN PRIVATE KEY-----\nhush\n-----END PRIVATE KEY-----\n',
  )
  expect([done.kind, JSON.stringify(done).includes('hush')]).toEqual(['failed', false])
  // What was begun would be in the way of the next try.
  expect(asked.at(-1)).toBe('@!7 abort ssl cert s1.pem')
})

it('never commits a certificate into which HAProxy put another one', async () => {
  const asked: string[] = []
  const busy = new Worker(async (line) => {
    asked.push(line.replace('@!7 ', ''))
    if (line.includes(' commit ')) return ok('Committing s1.pem.\nSuccess!')
    const isFree = asked.includes('abort ssl cert s2.pem')
    return ok(
      isFree ? 'Transaction created for certificate s1.pem!' : 'Transaction updated for certificate s2.pem!',
    )
  }, 7)
  expect((await busy.setCertificate('s1.pem', 'x\n')).kind).toBe('ok')
  expect(asked).toEqual([
    'set ssl cert s1.pem',
    'abort ssl cert s2.pem',
    'set ssl cert s1.pem',
    'commit ssl cert s1.pem',
  ])
})
