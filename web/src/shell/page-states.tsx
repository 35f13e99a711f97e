import { Link } from 'wouter'
import type { Problem } from '../../../src/core/shared/problem.ts'
import { ProblemNotice } from '../parts/notice.tsx'
import { useTab } from './tab.ts'
import { TopBar } from './top-bar.tsx'

export function LoadingPage() {
  useTab('', null)
  return (
    <main className="page page-state" aria-busy="true">
      <p className="visually-hidden">Loading the services.</p>
      <div className="skeleton is-title" />
      <div className="skeleton is-line" />
      <div className="skeleton is-block" />
      <div className="skeleton is-block" />
    </main>
  )
}

export function FailedPage({ problem, retry }: { problem: Problem; retry: () => void }) {
  useTab('Unreachable', { label: 'Unreachable', tone: 'bad', glyph: 'alert' })
  return (
    <main className="page page-state">
      <h1>Sluice</h1>
      <ProblemNotice problem={problem} />
      <p>
        <button type="button" className="button" onClick={retry}>
          Try again
        </button>
      </p>
    </main>
  )
}

export function NothingHere({ what }: { what: string }) {
  useTab('Not found', null)
  return (
    <>
      <TopBar />
      <main className="page page-state">
        <h1>Nothing here</h1>
        <p className="dim">{what}</p>
        <p>
          <Link href="/" className="button">
            All services
          </Link>
        </p>
      </main>
    </>
  )
}
