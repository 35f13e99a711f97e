import { useMutation, useQueryClient } from '@tanstack/react-query'
import { type SubmitEvent, useState } from 'react'
import { login, toProblem } from '../api/call.ts'
import { ProblemNotice } from '../parts/notice.tsx'
import { useTab } from './tab.ts'

/** Shown when the session is missing or over. The terminal prints an address that does this by itself. */
export function SignIn() {
  const client = useQueryClient()
  const [token, setToken] = useState('')
  const entering = useMutation({ mutationFn: login, onSuccess: () => client.resetQueries() })
  useTab('Sign in', null)
  const submit = (event: SubmitEvent) => {
    event.preventDefault()
    entering.mutate(token)
  }
  return (
    <main className="sign-in">
      <h1>Sign in</h1>
      <p className="dim">
        Open the address that <code className="code">sluice up</code> prints, or paste the token from the file{' '}
        <code className="code">.sluice/token</code>.
      </p>
      <form onSubmit={submit}>
        <label className="field">
          <span>Token</span>
          <input
            type="password"
            autoComplete="current-password"
            spellCheck={false}
            required
            value={token}
            onChange={(event) => setToken(event.target.value)}
          />
        </label>
        <button type="submit" className="button is-primary" disabled={entering.isPending}>
          {entering.isPending ? 'Signing in…' : 'Sign in'}
        </button>
      </form>
      <div aria-live="polite">
        {entering.error === null ? null : <ProblemNotice problem={toProblem(entering.error)} />}
      </div>
    </main>
  )
}
