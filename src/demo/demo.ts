import { type LoadProcess, sluice, startLoad } from './command.ts'
import { type Stage, setStage } from './stage.ts'
import { LOAD_PER_SECOND, LoadSummary, type Released, release } from './story.ts'

/** Promise of the demo: traffic is off the bad version this soon after the verdict. */
const TRAFFIC_OFF_LIMIT_MS = 5000
const PROMOTED = 0
const ROLLED_BACK = 10

type Check = { text: string; holds: boolean }
type Options = { ci: boolean }

const say = (text: string): unknown => process.stdout.write(`\n${text}\n`)

/**
 * A real service is released by canary under real load while you watch; then a bad version is released, caught by its own
 * metrics and taken out of traffic. Public commands only, nothing is switched for the demo. Answers with the exit code: 0
 * when every promise held. With `ci` it ends after the story, else it stays up until it is interrupted; either way nothing
 * is left behind.
 */
export async function runDemo({ ci }: Options): Promise<number> {
  const interrupted = new AbortController()
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => interrupted.abort())
  const stage = await setStage()
  const demo = new Demo(stage, interrupted.signal)
  const checks = await demo.play({ ci })
  await demo.leave()
  return checks.every(({ holds }) => holds) ? 0 : 1
}

class Demo {
  private load: LoadProcess | null = null
  private readonly stage: Stage
  private readonly interrupted: AbortSignal

  constructor(stage: Stage, interrupted: AbortSignal) {
    this.stage = stage
    this.interrupted = interrupted
  }

  /** Tells the story and what of its promises held. An interruption ends it early, which is no failure. */
  async play({ ci }: Options): Promise<Check[]> {
    try {
      const released = await this.releases()
      if (released === null) return []
      if (!ci) await this.stayUp()
      const users = LoadSummary.parse(await this.load?.stop())
      this.load = null
      return tell(judge({ ...released, users }))
    } catch (error) {
      return tell([{ text: `the demo plays to its end: ${String(error)}`, holds: false }])
    }
  }

  private async releases(): Promise<{ first: Released; good: Released; bad: Released } | null> {
    const { config, url } = this.stage
    say('1. Start Sluice for the folder of the example, then release 1.0.0, the first version.')
    if ((await sluice(['up', '--config', config])) !== 0) throw new Error('`sluice up` failed')
    const first = await release(config, '1.0.0')
    if (this.interrupted.aborted) return null
    this.load = startLoad(url, LOAD_PER_SECOND)
    say(
      `2. Users arrive: ${LOAD_PER_SECOND} requests per second on ${url}.\n   Release 1.1.0 by canary: 5%, 25%, 50%, 100%, then a watch.`,
    )
    const good = await release(config, '1.1.0')
    if (this.interrupted.aborted) return null
    say('3. Release 1.2.0. It fails 5% of the checkouts, and nobody has told Sluice.')
    const bad = await release(config, '1.2.0')
    return this.interrupted.aborted ? null : { first, good, bad }
  }

  private async stayUp(): Promise<void> {
    const { config, url } = this.stage
    say(
      [
        'The bad version is out of traffic. Everything stays up for you to try, in a second terminal:',
        `  npx sluice deploy 1.3.0 --config ${config}    gets slower with every request`,
        `  npx sluice deploy 1.4.0 --config ${config}    never becomes ready`,
        `  npx sluice status --config ${config}`,
        `  curl -i ${url}/products`,
        'The page (address above) shows the same and has buttons.',
        'Ctrl-C here ends everything, tells how many requests were lost, and leaves nothing behind.',
      ].join('\n'),
    )
    // The load keeps the process alive meanwhile.
    await new Promise<void>((resolve) => {
      if (this.interrupted.aborted) resolve()
      this.interrupted.addEventListener('abort', () => resolve(), { once: true })
    })
  }

  /** Ends what the demo started, whatever state it is in. */
  async leave(): Promise<void> {
    say('Ending the service and Sluice ...')
    await this.load?.stop().catch(() => undefined)
    const { config } = this.stage
    // Not cleared while something may still run there: `sluice down` must find it.
    if ((await sluice(['down', '--yes', '--quiet', '--config', config], 'own-session')) === 0)
      this.stage.clear()
    else say(`Something did not end: run \`npx sluice down --config ${config}\`.`)
  }
}

type Facts = { first: Released; good: Released; bad: Released; users: LoadSummary }

function judge({ first, good, bad, users }: Facts): Check[] {
  const lostProbes = good.loss.probesLost + bad.loss.probesLost
  const { trafficOffMs } = bad
  return [
    { text: `1.0.0 serves (exit code ${first.code})`, holds: first.code === PROMOTED },
    { text: `1.1.0 was promoted (exit code ${good.code})`, holds: good.code === PROMOTED },
    { text: `1.2.0 was rolled back (exit code ${bad.code})`, holds: bad.code === ROLLED_BACK },
    {
      text: `${users.lost.count} of ${users.sent} requests of users were lost; ${users.errors} were answered with an error of a bad version`,
      holds: users.lost.count === 0 && users.notSent === 0,
    },
    { text: `${lostProbes} probes were lost`, holds: lostProbes === 0 },
    {
      text: `traffic was off 1.2.0 ${trafficOffMs ?? '?'} ms after the verdict (limit ${TRAFFIC_OFF_LIMIT_MS} ms)`,
      holds: trafficOffMs !== null && trafficOffMs <= TRAFFIC_OFF_LIMIT_MS,
    },
  ]
}

function tell(checks: Check[]): Check[] {
  say(checks.map(({ text, holds }) => `${holds ? '✓' : '✗'} ${text}`).join('\n'))
  const passed = checks.filter(({ holds }) => holds).length
  say(`${passed} passed, ${checks.length - passed} failed, 0 skipped`)
  return checks
}
