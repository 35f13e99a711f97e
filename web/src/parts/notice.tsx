import type { ReactNode } from 'react'
import type { Problem } from '../../../src/core/shared/problem.ts'
import { asSentence } from '../format/sentence.ts'
import type { Tone } from '../format/state.ts'
import { Icon } from './icon.tsx'

type NoticeProps = { tone: Extract<Tone, 'warn' | 'bad' | 'quiet'>; children: ReactNode }

/** A message in the flow of the page. */
export function Notice({ tone, children }: NoticeProps) {
  return (
    <div className={`notice tone-${tone}`}>
      <Icon glyph={tone === 'quiet' ? 'dot' : 'alert'} />
      <div className="notice-text">{children}</div>
    </div>
  )
}

/** What went wrong, why, and what to do now. */
export function ProblemNotice({ problem }: { problem: Problem }) {
  return (
    <Notice tone="bad">
      <p>
        <strong>{asSentence(problem.message)}</strong> <code className="code">{problem.code}</code>
      </p>
      {problem.cause === undefined ? null : <p className="dim">{asSentence(problem.cause)}</p>}
      <p>{problem.remedy}</p>
    </Notice>
  )
}
