import { type Bench, longTail, measured, pointOf, type Row, spread, tail } from '../kit/row.ts'
import { benchLatency, RATE_PER_SECOND, type Round, WAYS, type Way } from './latency.ts'

const AIM_MS = 2

const NAMES: Record<Way, string> = {
  origin: 'straight to the origin',
  haproxy: 'through HAProxy, one thread',
  httpxy: 'through httpxy',
  sluice: 'through Sluice',
}

export const latency: Bench = {
  name: 'latency',
  title: `What the data plane adds to latency at ${RATE_PER_SECOND} requests per second`,
  measures: 'sources',
  document: 'benchmarks.md',
  method: [
    'Open loop: a client process of its own writes each request at a fixed time, one per millisecond, and takes its latency from that time on, whoever was late. Every value is kept.',
    'In each round 1,000 requests go every way, one way after the other, and the order turns from round to round; before that, wrk warms each way up for three seconds.',
    '"Added" is the difference inside one round between a way and the way straight to the origin, which is the noise floor.',
    'Client and origin share one core, the proxy has the other one. All run with real-time priority where the system permits it (`chrt -r`), so that neighbours are not measured.',
    'Even so the machine stands still at times: its host takes the core away, or its kernel gives ordinary programs their share. A witness on each core, before all others in rank, sleeps a millisecond at a time and sees these stalls.',
    '"Without stalls" leaves out, for every way alike, the requests that met a stall of 0.5 ms or more, or came within the length of the stall after it; a round with fewer than 300 others is not among its rounds. The rows "all" leave out nothing.',
    'nginx answers 1 KiB from memory on kept connections; Sluice runs with everything on: split over two sets, counters, limits.',
    'The way straight to the origin wakes nobody on the other core, so a part of what each proxy adds is the machine: compare with HAProxy.',
  ],
  run: async (options) => rowsOf(await benchLatency(options)),
}

type Latencies = Record<Way, readonly number[]>

function rowsOf(rounds: readonly Round[]): Row[] {
  const all = rounds.map((round) => round.all)
  const clear = rounds.flatMap((round) => (round.clear === null ? [] : [round.clear]))
  const delaysMs = rounds.flatMap((round) => round.delaysMs)
  return [
    ...(clear.length === 0 ? [unwatched()] : group('without stalls', clear)),
    ...group('all', all),
    eventsRow('the client itself was late by, all', delaysMs),
  ]
}

const unwatched = (): Row => ({
  kind: 'missing',
  what: 'p99 added by Sluice, without stalls',
  why: 'the machine stood still in every round, or nobody may watch it here',
})

function group(which: string, rounds: readonly Latencies[]): Row[] {
  return [
    addedRow(`p99 added by Sluice, ${which}`, addedMs(rounds, 'sluice', 'p99'), true),
    addedRow(`p99 added by HAProxy, ${which}`, addedMs(rounds, 'haproxy', 'p99'), false),
    addedRow(`p99 added by httpxy, ${which}`, addedMs(rounds, 'httpxy', 'p99'), false),
    addedRow(`p50 added by Sluice, ${which}`, addedMs(rounds, 'sluice', 'p50'), false),
    addedRow(`p50 added by HAProxy, ${which}`, addedMs(rounds, 'haproxy', 'p50'), false),
    ...WAYS.map((way) =>
      eventsRow(
        `${NAMES[way]}, ${which}`,
        rounds.flatMap((round) => round[way]),
      ),
    ),
  ]
}

function addedMs(rounds: readonly Latencies[], way: Way, point: 'p50' | 'p99'): number[] {
  return rounds.map((round) => pointOf(tail(round[way]), point) - pointOf(tail(round.origin), point))
}

function addedRow(what: string, values: readonly number[], hasAim: boolean): Row {
  const points = spread(values)
  const aim = { text: `median under ${AIM_MS} ms`, met: pointOf(points, 'median') < AIM_MS }
  return measured(what, { unit: 'ms', points, runs: values.length, ...(hasAim ? { aim } : {}) })
}

const eventsRow = (what: string, values: readonly number[]): Row =>
  measured(what, { unit: 'ms', points: longTail(values), runs: values.length })
