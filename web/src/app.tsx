import { Route, Switch } from 'wouter'
import { toProblem } from './api/call.ts'
import { LiveProvider } from './api/live.tsx'
import { useServices } from './api/queries.ts'
import { RecordPage } from './rollout/record-page.tsx'
import { ServicePage } from './service/service-page.tsx'
import { ServicesPage } from './services/services-page.tsx'
import { FailedPage, LoadingPage, NothingHere } from './shell/page-states.tsx'
import { SignIn } from './shell/sign-in.tsx'

const SIGN_IN = ['LOGIN_REQUIRED', 'LOGIN_FAILED']

/** Signed in or not, loading or not; then the pages. */
export function App() {
  const services = useServices()
  const problem = services.error === null ? null : toProblem(services.error)
  if (problem !== null && SIGN_IN.includes(problem.code)) return <SignIn />
  if (services.data === undefined) {
    return problem === null ? (
      <LoadingPage />
    ) : (
      <FailedPage problem={problem} retry={() => void services.refetch()} />
    )
  }
  const views = services.data
  return (
    <LiveProvider>
      <Switch>
        <Route path="/">
          <ServicesPage views={views} />
        </Route>
        <Route path="/services/:stream">
          {({ stream }) => (
            <ServicePage stream={stream} view={views.find((view) => view.stream === stream)} />
          )}
        </Route>
        <Route path="/rollouts/:id">{({ id }) => <RecordPage id={id} views={views} />}</Route>
        <Route>
          <NothingHere what="There is no page at this address." />
        </Route>
      </Switch>
    </LiveProvider>
  )
}
