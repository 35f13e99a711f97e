import { useMutation, useQueryClient } from '@tanstack/react-query'
import { type SubmitEvent, useEffect, useId, useRef, useState } from 'react'
import type { ServiceView } from '../../../src/core/rollout/view/view.ts'
import { call, toProblem } from '../api/call.ts'
import { mergeView } from '../api/queries.ts'
import { ProblemNotice } from '../parts/notice.tsx'
import { ACTIONS, type ActionName, consequence, isComplete } from './action.ts'

type ConfirmDialogProps = { name: ActionName; view: ServiceView; close(): void }

/** Says what will happen, asks for what is needed, and only then does it. */
export function ConfirmDialog({ name, view, close }: ConfirmDialogProps) {
  const action = ACTIONS[name]
  const [filled, setFilled] = useState({ reason: '', typed: '' })
  const titleId = useId()
  const dialog = useModal()
  const doing = useAction(name, view, close)
  const complete = isComplete(action, view, filled)
  const submit = (event: SubmitEvent) => {
    event.preventDefault()
    if (complete && !doing.isPending) doing.mutate(filled.reason.trim())
  }
  return (
    <dialog ref={dialog} className="dialog" aria-labelledby={titleId} onClose={close}>
      <form onSubmit={submit}>
        <h2 id={titleId}>
          {action.label}: {view.service} in {view.environment}
        </h2>
        <p>{consequence(name, view)}</p>
        <label className="field">
          <span>
            Reason{' '}
            <span className="dim">{action.needsReason ? 'is written into the journal' : 'is optional'}</span>
          </span>
          <input
            value={filled.reason}
            required={action.needsReason}
            maxLength={300}
            onChange={(event) => setFilled({ ...filled, reason: event.target.value })}
          />
        </label>
        {view.production ? (
          <TypeName view={view} typed={filled.typed} type={(typed) => setFilled({ ...filled, typed })} />
        ) : null}
        {doing.error === null ? null : <ProblemNotice problem={toProblem(doing.error)} />}
        <footer className="buttons">
          <button
            type="submit"
            className={`button ${action.danger ? 'is-danger is-solid' : 'is-primary'}`}
            aria-disabled={!complete || doing.isPending}
          >
            {doing.isPending ? 'Asking…' : action.label}
          </button>
          <button type="button" className="button" onClick={() => dialog.current?.close()}>
            Cancel
          </button>
        </footer>
      </form>
    </dialog>
  )
}

type TypeNameProps = { view: ServiceView; typed: string; type(typed: string): void }

function TypeName({ view, typed, type }: TypeNameProps) {
  return (
    <label className="field">
      <span>
        This is production. Type <strong>{view.service}</strong> to go on
      </span>
      <input
        value={typed}
        required
        autoComplete="off"
        spellCheck={false}
        onChange={(event) => type(event.target.value)}
      />
    </label>
  )
}

function useModal() {
  const dialog = useRef<HTMLDialogElement>(null)
  useEffect(() => {
    const element = dialog.current
    if (element?.open === false) element.showModal()
  }, [])
  return dialog
}

function useAction(name: ActionName, view: ServiceView, close: () => void) {
  const client = useQueryClient()
  const { operation, input } = ACTIONS[name]
  return useMutation({
    mutationFn: (reason: string) =>
      call<{ view: ServiceView }>(operation, {
        service: view.service,
        environment: view.environment,
        ...input,
        ...(reason === '' ? {} : { reason }),
      }),
    onSuccess: (answer) => {
      mergeView(client, answer.view)
      close()
    },
  })
}
