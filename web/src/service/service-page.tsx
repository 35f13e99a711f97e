import type { ServiceView } from '../../../src/core/rollout/view/view.ts'
import { asSentence } from '../format/sentence.ts'
import { serviceMark, serviceSentence, tabTitle } from '../format/state.ts'
import { Notice, ProblemNotice } from '../parts/notice.tsx'
import { AbPanel } from '../rollout/ab-panel.tsx'
import { ActionBar } from '../rollout/action-bar.tsx'
import { BesidesPanel } from '../rollout/besides-panel.tsx'
import { ChartsPanel } from '../rollout/charts-panel.tsx'
import { ChecksPanel } from '../rollout/checks-panel.tsx'
import { Headline } from '../rollout/headline.tsx'
import { LossPanel } from '../rollout/loss-panel.tsx'
import { NewErrorsPanel } from '../rollout/new-errors-panel.tsx'
import { PlanPanel } from '../rollout/plan-panel.tsx'
import { ReleaseChange } from '../rollout/release-change.tsx'
import { RiskPanel } from '../rollout/risk-panel.tsx'
import { ShadowPanel } from '../rollout/shadow-panel.tsx'
import { SharePanel } from '../rollout/share-panel.tsx'
import { StepRail } from '../rollout/step-rail.tsx'
import { TargetsPanel } from '../rollout/targets-panel.tsx'
import { TimelinePanel } from '../rollout/timeline-panel.tsx'
import { EnvironmentTag } from '../services/service-card.tsx'
import { NothingHere } from '../shell/page-states.tsx'
import { useTab } from '../shell/tab.ts'
import { Crumb, TopBar } from '../shell/top-bar.tsx'
import { HistoryPanel } from './history-panel.tsx'
import { SetsPanel } from './sets-panel.tsx'

type ServicePageProps = { stream: string; view: ServiceView | undefined }

export function ServicePage({ stream, view }: ServicePageProps) {
  if (view === undefined)
    return (
      <NothingHere what={`There is no service "${stream}". It may have been removed from sluice.yaml.`} />
    )
  return <KnownService view={view} />
}

/** The rollout page, from the sentence down to the history. */
function KnownService({ view }: { view: ServiceView }) {
  const { rollout } = view
  useTab(tabTitle(view), serviceMark(view))
  return (
    <>
      <TopBar>
        <Crumb>
          <span className="crumb-name">{view.service}</span>
          <EnvironmentTag view={view} />
        </Crumb>
      </TopBar>
      <main className="page">
        <Headline mark={serviceMark(view)} sentence={serviceSentence(view)} rollout={rollout}>
          <ActionBar view={view} />
        </Headline>
        <Warnings view={view} />
        {rollout === null ? null : (
          <>
            <ReleaseChange rollout={rollout} />
            <StepRail steps={rollout.steps} />
          </>
        )}
        <div className="columns">
          <div className="column">
            {rollout === null ? (
              <>
                <NoRollout view={view} />
                <BesidesPanel besides={view.besides} />
              </>
            ) : (
              <RolloutPanels view={view} rollout={rollout} />
            )}
            <SetsPanel sets={view.sets} hasTraffic={view.listen !== 'none'} />
            {rollout === null ? null : <PlanPanel rollout={rollout} />}
          </div>
          <div className="column">
            <TimelinePanel entries={view.timeline} />
            {rollout === null ? null : <RiskPanel rollout={rollout} />}
            <HistoryPanel view={view} />
          </div>
        </div>
      </main>
    </>
  )
}

function Warnings({ view: { warnings, rollout, queued, lightWatch } }: { view: ServiceView }) {
  return (
    <div className="notices">
      {warnings.map((warning) => (
        <Notice key={warning} tone="warn">
          {asSentence(warning)}
        </Notice>
      ))}
      {lightWatch === null ? null : <Notice tone="quiet">{asSentence(lightWatch.sentence)}</Notice>}
      {queued === null ? null : (
        <Notice tone="quiet">{`${queued.version} waits: ${queued.waitingOn.message}.`}</Notice>
      )}
      {rollout?.problem ? <ProblemNotice problem={rollout.problem} /> : null}
    </div>
  )
}

function RolloutPanels({
  view,
  rollout,
}: {
  view: ServiceView
  rollout: NonNullable<ServiceView['rollout']>
}) {
  return (
    <>
      <SharePanel rollout={rollout} sets={view.sets} />
      <BesidesPanel besides={view.besides} />
      <AbPanel ab={rollout.ab} isOver={rollout.endedAt !== null} />
      <ShadowPanel shadow={rollout.shadow} />
      <ChecksPanel rollout={rollout} />
      <NewErrorsPanel rollout={rollout} />
      <ChartsPanel rollout={rollout} />
      <div className="pair">
        <LossPanel rollout={rollout} />
        <TargetsPanel targets={rollout.targets} />
      </div>
    </>
  )
}

function NoRollout({ view }: { view: ServiceView }) {
  return (
    <div className="empty">
      <h2>{view.stable === null ? 'No version yet' : 'No rollout yet'}</h2>
      <p className="dim">
        Deploy a version and watch it here.
        {view.listen === 'none' ? '' : ` Traffic arrives at ${view.listen}.`}
      </p>
      <pre className="command">{`sluice deploy VERSION --service ${view.service} --env ${view.environment}`}</pre>
    </div>
  )
}
