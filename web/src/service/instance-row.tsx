import type { SetView } from '../../../src/core/rollout/view/view.ts'
import { formatNoun } from '../format/amount.ts'
import { formatDuration } from '../format/duration.ts'
import { capital } from '../format/sentence.ts'
import type { StateMark } from '../format/state.ts'
import { useNow } from '../parts/now.ts'
import { Pill } from '../parts/pill.tsx'
import { Moment } from '../parts/zone.tsx'

type Instance = SetView['instances'][number]

const MARK: Record<Instance['state'], StateMark> = {
  starting: { label: 'Starting', tone: 'accent', glyph: 'clock' },
  ready: { label: 'Ready', tone: 'good', glyph: 'check' },
  unready: { label: 'Unready', tone: 'warn', glyph: 'alert' },
  crashed: { label: 'Crashed', tone: 'bad', glyph: 'cross' },
  failed: { label: 'Failed', tone: 'bad', glyph: 'cross' },
  stopping: { label: 'Stopping', tone: 'quiet', glyph: 'minus' },
  gone: { label: 'Gone', tone: 'quiet', glyph: 'minus' },
}

const LEFT_OUT: StateMark = { label: 'Left out', tone: 'warn', glyph: 'alert' }
const LEAVING: StateMark = { label: 'Leaving', tone: 'quiet', glyph: 'minus' }

type InstanceRowProps = { instance: Instance; isLeaving: boolean }

export function InstanceRow({ instance, isLeaving }: InstanceRowProps) {
  const now = useNow()
  return (
    <li className="instance">
      <div className="instance-line">
        <Pill mark={markOf(instance, isLeaving)} />
        <span className="mono">{instance.id}</span>
        <span className="dim mono">
          {instance.host}:{instance.port}
        </span>
        {instance.pid === null ? null : <span className="dim mono">pid {instance.pid}</span>}
        {instance.state === 'gone' ? null : (
          <span className="dim">up {formatDuration(wholeSeconds(now - instance.startedAt))}</span>
        )}
        {instance.crashes === 0 ? null : (
          <span className="text-bad">
            {formatNoun(instance.crashes, 'crash').replace(/crashs$/, 'crashes')}
          </span>
        )}
      </div>
      <LastProblem instance={instance} />
      {instance.ejected === undefined ? null : (
        <p className="instance-problem">
          <Moment at={instance.ejected.since} /> Gets no new requests until{' '}
          <Moment at={instance.ejected.until} />: {instance.ejected.why}.
        </p>
      )}
      {instance.logTail.length === 0 ? null : (
        <details className="log" open={instance.state === 'failed' || instance.state === 'crashed'}>
          <summary>Last {formatNoun(instance.logTail.length, 'line')} of its log</summary>
          {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keyboard. */}
          <pre tabIndex={0}>{instance.logTail.join('\n')}</pre>
        </details>
      )}
    </li>
  )
}

function markOf({ state, ejected }: Instance, isLeaving: boolean): StateMark {
  if (state !== 'ready') return MARK[state]
  if (isLeaving) return LEAVING
  return ejected === undefined ? MARK.ready : LEFT_OUT
}

const wholeSeconds = (ms: number): number => Math.max(0, Math.floor(ms / 1000) * 1000)

function LastProblem({ instance: { state, lastProbeFailure, lastExit } }: { instance: Instance }) {
  const probe = state === 'ready' ? null : lastProbeFailure
  const exit = lastExit?.cause === 'stopped-by-us' ? null : lastExit
  return (
    <>
      {exit === null ? null : (
        <p className="instance-problem">
          <Moment at={exit.at} /> Exited{' '}
          {exit.signal === null ? `with code ${exit.code ?? 'unknown'}` : `by ${exit.signal}`}
          {EXIT_CAUSE[exit.cause]}.
        </p>
      )}
      {probe === null ? null : (
        <p className="instance-problem">
          <Moment at={probe.at} /> {capital(probe.message)}
        </p>
      )}
    </>
  )
}

const EXIT_CAUSE: Record<NonNullable<Instance['lastExit']>['cause'], string> = {
  exited: '',
  'stopped-by-us': '',
  'not-live': ', restarted since it was not live',
  'killed-unknown': ', killed by something unknown',
  oom: ', out of memory',
  unknown: ', cause unknown',
}
