import { benchStore } from '../store/store.ts'
import { benchWire } from '../wire/wire.ts'
import { type Bench, measured, type Point } from './row.ts'

/** Rounds that count, as bench/wire says. */
const WIRE_ROUNDS = 5

export const wire: Bench = {
  name: 'wire',
  title: 'The data plane against other proxies',
  measures: 'sources',
  document: 'benchmarks.md',
  method: [
    'One nginx worker answers 1 KiB from memory; each proxy has one process or one thread; wrk has one thread and 32 connections.',
    'Sluice runs with everything on: split over two sets, counters, limits.',
    'Two processes against one: both may use both cores, one of which is full with origin and load. What the second process gains here is the least of what it can.',
    'Throughput is a ratio inside one round, in which all proxies ran one after the other; the order turns from round to round.',
  ],
  run: async () => {
    const rows = await benchWire()
    return rows.map(({ what, unit, min, median, max, goal, met }) =>
      measured(what, {
        unit,
        points: threePoints({ min, median, max }),
        runs: WIRE_ROUNDS,
        ...(goal === 'none' ? {} : { aim: { text: goal, met } }),
      }),
    )
  },
}

export const store: Bench = {
  name: 'store',
  title: 'Durable commits',
  measures: 'sources',
  document: 'benchmarks.md',
  method: [
    'Each commit is one event, the state, one message and one document, synced to disk (SQLite, WAL, `synchronous=FULL`), one after the other.',
  ],
  run: async () => {
    const { runs, commitsPerSecond } = await benchStore()
    return [
      measured('commits of the store', { unit: 'commits/s', points: threePoints(commitsPerSecond), runs }),
    ]
  },
}

const threePoints = ({ min, median, max }: { min: number; median: number; max: number }): Point[] => [
  { name: 'min', value: min },
  { name: 'median', value: median },
  { name: 'max', value: max },
]
