import { Link } from 'wouter'
import type { RolloutView, ServiceView } from '../../../src/core/rollout/view/view.ts'
import { toProblem } from '../api/call.ts'
import { type RolloutRecord, useRollout } from '../api/queries.ts'
import { rolloutMark } from '../format/state.ts'
import { Notice, ProblemNotice } from '../parts/notice.tsx'
import { FailedPage, LoadingPage, NothingHere } from '../shell/page-states.tsx'
import { useTab } from '../shell/tab.ts'
import { Crumb, TopBar } from '../shell/top-bar.tsx'
import { AbPanel } from './ab-panel.tsx'
import { ChartsPanel } from './charts-panel.tsx'
import { ChecksPanel } from './checks-panel.tsx'
import { Headline } from './headline.tsx'
import { LossPanel } from './loss-panel.tsx'
import { NewErrorsPanel } from './new-errors-panel.tsx'
import { PlanPanel } from './plan-panel.tsx'
import { ReleaseChange } from './release-change.tsx'
import { RiskPanel } from './risk-panel.tsx'
import { ShadowPanel } from './shadow-panel.tsx'
import { StepRail } from './step-rail.tsx'
import { TargetsPanel } from './targets-panel.tsx'
import { TimelinePanel } from './timeline-panel.tsx'

type RecordPageProps = { id: string; views: ServiceView[] }

/** One rollout for good: what happened, without buttons. */
export function RecordPage({ id, views }: RecordPageProps) {
  const { data, error, refetch } = useRollout(id)
  if (data !== undefined) return <Record record={data} current={isCurrent(data.rollout, views)} />
  if (error === null) return <LoadingPage />
  const problem = toProblem(error)
  if (problem.code === 'ROLLOUT_NOT_FOUND') return <NothingHere what={problem.message} />
  return <FailedPage problem={problem} retry={() => void refetch()} />
}

const isCurrent = (rollout: RolloutView, views: ServiceView[]): boolean =>
  rollout.endedAt === null && views.some((view) => view.rollout?.id === rollout.id)

function Record({ record: { rollout, timeline }, current }: { record: RolloutRecord; current: boolean }) {
  const mark = rolloutMark(rollout)
  const service = `/services/${encodeURIComponent(rollout.stream)}`
  useTab(`${mark.label} · ${rollout.service} ${rollout.to.version}`, mark)
  return (
    <>
      <TopBar>
        <Crumb>
          <Link href={service} className="crumb-name">
            {rollout.service}
          </Link>
          <span className="tag">{rollout.environment}</span>
        </Crumb>
        <Crumb>
          <span className="mono">{rollout.id}</span>
        </Crumb>
      </TopBar>
      <main className="page">
        <Headline mark={mark} sentence={rollout.sentence} rollout={rollout} />
        <div className="notices">
          {current ? (
            <Notice tone="quiet">
              This rollout is still going on. <Link href={service}>Watch and steer it</Link>.
            </Notice>
          ) : null}
          {rollout.problem === null ? null : <ProblemNotice problem={rollout.problem} />}
        </div>
        <ReleaseChange rollout={rollout} />
        <StepRail steps={rollout.steps} />
        <div className="columns">
          <div className="column">
            <ChecksPanel rollout={rollout} />
            <NewErrorsPanel rollout={rollout} />
            <AbPanel ab={rollout.ab} isOver={rollout.endedAt !== null} />
            <ShadowPanel shadow={rollout.shadow} />
            <ChartsPanel rollout={rollout} />
            <div className="pair">
              <LossPanel rollout={rollout} />
              <TargetsPanel targets={rollout.targets} />
            </div>
            <PlanPanel rollout={rollout} />
          </div>
          <div className="column">
            <TimelinePanel entries={timeline} />
            <RiskPanel rollout={rollout} />
          </div>
        </div>
      </main>
    </>
  )
}
