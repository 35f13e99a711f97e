import { readFileSync } from 'node:fs'
import { setTimeout as pause } from 'node:timers/promises'
import { systemClock } from '../../src/controller/clock.ts'
import { keepHeapSmall } from '../../src/controller/small-heap.ts'
import type { ServiceState } from '../../src/core/rollout/state.ts'
import type { Decided } from '../../src/engine/decided.ts'
import { startController } from './controller.ts'
import { createCounters } from './counters.ts'
import { createDelays, watched } from './lag.ts'
import { type Measurement, Order, type Report, Setup } from './messages.ts'
import { openPlace } from './place.ts'
import { copyOf, EVALUATE_EVERY_MS, splitOf, streamName, Template } from './template.ts'
import { createWorlds, type Worlds } from './worlds.ts'

// One controller and nothing else, so that CPU and memory of this process are its alone. `process.ts SETUP`, orders by IPC.

keepHeapSmall()
const MEGABYTE = 2 ** 20
const setup = Setup.parse(JSON.parse(process.argv[2] ?? ''))
const template = Template.parse(JSON.parse(readFileSync(setup.template, 'utf8')))
const worlds = createWorlds()
await furnish(worlds)
const heapBeforeMb = process.memoryUsage().heapUsed / MEGABYTE
const tickLag = createDelays()
const evaluationLag = createDelays()
const counts = { commits: 0, evaluations: 0, looks: 0 }
const evaluatedAt = new Map<string, number>()
const atWork = new Set<string>()
let takenAt = 0
let isWorking = false

const counters = createCounters(template.since, splitOf)
const controller = await startController({
  store: await openPlace(setup.store),
  worlds,
  metrics: {
    ...counters,
    query: (service) => {
      counts.looks += 1
      return counters.query(service)
    },
  },
  onDecided: note,
  clock: watched(systemClock, tickLag),
})
send({ kind: 'joined', at: Date.now() })
process.on('message', (message) => void obey(Order.parse(message)))

function send(report: Report): void {
  process.send?.(report)
}

/** The world as the controller before has left it: instances run, routes are in force. */
async function furnish({ target, router }: Worlds): Promise<void> {
  for (let index = 0; index < setup.streams; index += 1) {
    for (const start of template.starts) await target.start(copyOf(start, index))
    await target.observe(streamName(index))
    await router.setRoutes(copyOf(template.routes, index))
  }
}

function note(stream: string, { state, events }: Decided): void {
  counts.commits += 1
  for (const event of events) {
    if (event.kind === 'controller-started') takenAt = Date.now()
    if (event.kind !== 'metrics-observed') continue
    counts.evaluations += 1
    const last = evaluatedAt.get(stream)
    if (last !== undefined) evaluationLag.add(event.cursor.at - last - EVALUATE_EVERY_MS)
    evaluatedAt.set(stream, event.cursor.at)
  }
  if (isWorking || !isTakenOver(state)) return
  atWork.add(stream)
  if (atWork.size < setup.streams) return
  isWorking = true
  send({ kind: 'working', at: Date.now(), takenAt })
}

function isTakenOver({ epoch, unseen, sets, traffic }: ServiceState): boolean {
  const isAsserted = sets.every(({ assertedEpoch }) => assertedEpoch === epoch)
  return unseen.length === 0 && isAsserted && traffic.confirmed?.epoch === epoch
}

async function obey(order: Order): Promise<void> {
  if (order.kind === 'measure') return send(await measure(order.forMs))
  await controller.end()
  process.disconnect()
}

async function measure(forMs: number): Promise<Measurement> {
  tickLag.clear()
  evaluationLag.clear()
  Object.assign(counts, { commits: 0, evaluations: 0, looks: 0 })
  const [cpu, began] = [process.cpuUsage(), performance.now()]
  await pause(forMs)
  const seconds = (performance.now() - began) / 1000
  const { user, system } = process.cpuUsage(cpu)
  const { rss, heapUsed } = process.memoryUsage()
  return {
    kind: 'measured',
    seconds,
    cpuCores: (user + system) / 1e6 / seconds,
    rssMb: rss / MEGABYTE,
    heapMb: heapUsed / MEGABYTE,
    heapBeforeMb,
    ...counts,
    tickLagMs: tickLag.summary(),
    evaluationLagMs: evaluationLag.summary(),
  }
}
