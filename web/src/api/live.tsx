import { type QueryClient, useQueryClient } from '@tanstack/react-query'
import { createContext, type ReactNode, useContext, useEffect, useRef, useState } from 'react'
import type { ServiceView } from '../../../src/core/rollout/view/view.ts'
import { mergeView, refreshServices } from './queries.ts'

/** Heartbeats are comments, which a browser hides; after this silence we ask, to know that somebody is there. */
const SILENCE_MS = 8000
const CHECK_MS = 1000
/** `EventSource` reconnects by itself, except after an answer that is no stream. */
const REOPEN_MS = 3000

/** `heardAt`: when the controller last said anything, in ms since the epoch. */
export type Live = { connected: boolean; heardAt: number }

const LiveContext = createContext<Live>({ connected: false, heardAt: 0 })

export const useLive = (): Live => useContext(LiveContext)

/** One event stream for the whole page; every view it brings goes into the cache. */
export function LiveProvider({ children }: { children: ReactNode }) {
  const client = useQueryClient()
  const [live, setLive] = useState<Live>(() => ({ connected: false, heardAt: Date.now() }))
  const heardAt = useRef(Date.now())

  useEffect(() => {
    const hear = (connected: boolean) => {
      heardAt.current = Date.now()
      setLive({ connected, heardAt: heardAt.current })
    }
    const lose = () => setLive((before) => ({ ...before, connected: false }))
    const stream = openStream(client, hear, lose)
    const check = setInterval(
      () => void askWhenSilent(client, heardAt.current, () => hear(stream.isOpen())),
      CHECK_MS,
    )
    return () => {
      clearInterval(check)
      stream.close()
    }
  }, [client])

  return <LiveContext value={live}>{children}</LiveContext>
}

async function askWhenSilent(client: QueryClient, heardAt: number, heard: () => void): Promise<void> {
  if (Date.now() - heardAt < SILENCE_MS || client.isFetching({ queryKey: ['services'] }) > 0) return
  await refreshServices(client).then(heard, () => undefined)
}

function openStream(client: QueryClient, hear: (connected: boolean) => void, lose: () => void) {
  let source: EventSource | null = null
  let reopening: ReturnType<typeof setTimeout> | undefined
  const open = () => {
    source = new EventSource('/api/v1/events')
    source.onopen = () => hear(true)
    source.onerror = () => {
      lose()
      if (source?.readyState === EventSource.CLOSED) reopening = setTimeout(open, REOPEN_MS)
    }
    source.addEventListener('service', (event: MessageEvent<string>) => {
      const view: ServiceView = JSON.parse(event.data)
      mergeView(client, view)
      hear(true)
    })
  }
  open()
  return {
    isOpen: () => source?.readyState === EventSource.OPEN,
    close() {
      clearTimeout(reopening)
      source?.close()
    },
  }
}
