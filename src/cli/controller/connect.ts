import { ok, type Result } from '../../core/shared/result.ts'
import { type Client, createClient } from '../client.ts'
import type { Session } from '../session.ts'
import { findProject, type Project } from './project.ts'
import { ensureController } from './start-controller.ts'

/** The project and a client for it. */
export type Connection = { project: Project; client: Client }

/** For commands that only look: starts nothing. */
export function connect(session: Session): Result<Connection> {
  const project = findProject(session)
  if (project.kind === 'failed') return project
  return ok({ project: project.value, client: createClient(project.value.state) })
}

/** For commands that plan or act: the controller is started when it is missing. */
export async function connectStarting(session: Session): Promise<Result<Connection>> {
  const project = findProject(session)
  if (project.kind === 'failed') return project
  const running = await ensureController(session, project.value)
  if (running.kind === 'failed') return running
  return ok({ project: project.value, client: running.value.client })
}
