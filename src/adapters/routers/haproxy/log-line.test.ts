import { expect, it } from 'vitest'
import { readLine } from './log-line.ts'

const line = (
  more: Partial<
    Record<'front' | 'at' | 'server' | 'status' | 'ended' | 'rc' | 'way' | 'stream' | 'visit' | 'uri', string>
  >,
) => {
  const {
    front = 's1',
    at = '-',
    server = 'i9',
    status = '200',
    ended = '----',
    rc = '0',
    way = '-',
    stream = '-',
    visit = '-',
  } = more
  return `${front} s1_0 ${server} 812 ${status} 34 ${ended} ${rc} 120 310 ${at} ${way} ${stream} ${visit} GET ${more.uri ?? '/cart'}`
}

it('reads a request with all of its numbers', () => {
  expect(readLine(line({}))).toEqual({
    frontend: 's1',
    by: 'weight',
    server: 'i9',
    pid: 812,
    status: 200,
    ms: 34,
    route: 'GET /cart',
    bytesIn: 120,
    bytesOut: 310,
    end: 'complete',
    isLong: false,
    isProbe: false,
    isClosed: false,
    retries: 0,
    connectFailures: 0,
  })
})

it.each([
  ['CD--', 'client-abort'],
  ['cR--', 'client-abort'],
  ['SC--', 'connect-failed'],
  ['sC--', 'connect-failed'],
  ['SH--', 'reset'],
  ['SD--', 'reset'],
  ['sH--', 'timeout'],
  ['KD--', 'cut'],
  ['PR--', 'complete'],
])('takes the state %s for %s', (ended, end) => {
  expect(readLine(line({ ended }))?.end).toBe(end)
})

it('counts an upgraded connection or an event stream that somebody left as complete, but not one that was cut', () => {
  expect(readLine(line({ status: '101', ended: 'CD--' }))).toMatchObject({ end: 'complete', isLong: true })
  expect(readLine(line({ stream: 's', ended: 'CD--' }))).toMatchObject({ end: 'complete', isLong: true })
  expect(readLine(line({ status: '101', ended: 'KD--' }))?.end).toBe('cut')
  expect(readLine(line({ stream: 's', status: '-1', ended: 'CH--' }))?.end).toBe('client-abort')
})

it('tells probes, rules, previews and closed services apart', () => {
  expect(readLine(line({ way: 'p' }))).toMatchObject({ isProbe: true, by: 'weight' })
  expect(readLine(line({ way: 'r' }))?.by).toBe('rule')
  expect(readLine(line({ front: 's1_preview' }))).toMatchObject({ frontend: 's1', by: 'preview' })
  expect(readLine(line({ way: 'c', server: '<NOSRV>', status: '503' }))).toMatchObject({
    isClosed: true,
    server: null,
  })
})

it("goes by the service in the line where several share an address, and by nobody where it was nobody's", () => {
  expect(readLine(line({ front: 'd7', at: 's1' }))?.frontend).toBe('s1')
  expect(readLine(line({ front: 'd7', server: '<NOSRV>', status: '404' }))?.frontend).toBe('d7')
})

it('tells what a limit turned away, by the limit', () => {
  const away = { server: '<NOSRV>', status: '503', ended: 'PR--' }
  expect(readLine(line({ ...away, way: 'b' }))).toMatchObject({ limited: 'requests', isProbe: false })
  expect(readLine(line({ ...away, way: 'q' }))).toMatchObject({ limited: 'rate' })
  expect(readLine(line(away))).not.toHaveProperty('limited')
})

it('reads attempts that went elsewhere, and paths of any kind', () => {
  expect(readLine(line({ rc: '+2' }))).toMatchObject({ retries: 2, connectFailures: 2 })
  expect(readLine(line({ uri: 'http://a.b/x' }))?.route).toBe('GET /x')
  expect(readLine(line({ uri: '*' }))?.route).toBe('GET /')
})

it('takes no other words for a request', () => {
  for (const text of ['', 'Proxy f started.', 'a b c d e f g h i j k l m n', '\u0000'])
    expect(readLine(text)).toBeNull()
})

it('reads what a user of an A/B test did', () => {
  const visit = (text: string) => readLine(line({ visit: text }))?.visit
  const test = '9f86d081884c7d65'
  expect(visit(`${test}:green:36:-`)).toEqual({ test, variant: 'green', isNew: true, isGoal: false })
  expect(visit('-')).toBeUndefined()
})
