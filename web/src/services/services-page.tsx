import type { ServiceView } from '../../../src/core/rollout/view/view.ts'
import { serviceMark, type Tone } from '../format/state.ts'
import { useTab } from '../shell/tab.ts'
import { TopBar } from '../shell/top-bar.tsx'
import { byAttention, progressSummary } from './attention.ts'
import { ServiceCard } from './service-card.tsx'

/** The overview: what needs a person is seen first. */
export function ServicesPage({ views }: { views: ServiceView[] }) {
  const marks = views.map(serviceMark)
  const worst = WORST_FIRST.flatMap((tone) => marks.filter((mark) => mark.tone === tone))[0] ?? null
  useTab('Services', worst)
  return (
    <>
      <TopBar />
      <main className="page">
        <div className="page-title">
          <h1>Services</h1>
          <p className="dim" aria-live="polite">
            {progressSummary(views)}
          </p>
        </div>
        {views.length === 0 ? (
          <NoServices />
        ) : (
          <ul className="service-cards">
            {byAttention(views).map((view) => (
              <li key={view.stream}>
                <ServiceCard view={view} />
              </li>
            ))}
          </ul>
        )}
      </main>
    </>
  )
}

const WORST_FIRST: readonly Tone[] = ['bad', 'warn', 'accent', 'good', 'quiet']

function NoServices() {
  return (
    <div className="empty">
      <h2>No services yet</h2>
      <p className="dim">
        Describe one in <code className="code">sluice.yaml</code>, then deploy its first version:
      </p>
      <pre className="command">sluice deploy 1.0.0</pre>
    </div>
  )
}
