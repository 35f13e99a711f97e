import { Link } from 'wouter'
import type { ServiceView } from '../../../src/core/rollout/view/view.ts'
import { formatWeight, UNKNOWN } from '../format/amount.ts'
import { serviceMark, serviceSentence, shareLabel } from '../format/state.ts'
import { Pill } from '../parts/pill.tsx'
import { WeightBar } from '../parts/weight-bar.tsx'
import { Moment } from '../parts/zone.tsx'

/** One service in five lines; the whole card is the link. */
export function ServiceCard({ view }: { view: ServiceView }) {
  return (
    <article className="service-card">
      <header>
        <h2>
          <Link href={`/services/${encodeURIComponent(view.stream)}`} className="card-link">
            {view.service}
          </Link>
          <EnvironmentTag view={view} />
        </h2>
        <Pill mark={serviceMark(view)} />
      </header>
      <p className="card-sentence">{serviceSentence(view)}</p>
      <CardTraffic view={view} />
      <footer>
        <span>
          <span className="dim">Stable</span>{' '}
          <span className="version">{view.stable?.version ?? UNKNOWN}</span>
        </span>
        {view.stable === null ? null : (
          <span className="dim">
            since <Moment at={view.stable.since} />
          </span>
        )}
      </footer>
    </article>
  )
}

export function EnvironmentTag({ view }: { view: Pick<ServiceView, 'environment' | 'production'> }) {
  return <span className={`tag ${view.production ? 'is-production' : ''}`}>{view.environment}</span>
}

function CardTraffic({ view: { rollout } }: { view: ServiceView }) {
  if (rollout === null || rollout.state === 'ended') return null
  const { desiredPermille } = rollout.weight
  // Nobody reads back the share of a worker: its instances are its share.
  const observedPermille =
    rollout.sharedBy === 'instances' ? desiredPermille : rollout.weight.observedPermille
  return (
    <div className="card-traffic">
      <WeightBar
        desiredPermille={desiredPermille}
        observedPermille={observedPermille}
        label={shareLabel(rollout)}
      />
      <span className="numbers">{formatWeight(observedPermille)}</span>
    </div>
  )
}
