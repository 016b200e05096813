import { Arg, Ctx, FieldResolver, ID, Int, Mutation, Query, Resolver, Root } from 'type-graphql'
import {
  appendAudit,
  readAudit,
  readProject,
  readProjects,
  readSystems,
  saveProject,
  saveProjectSettings,
  saveSystem,
} from '../../access/store.js'
import type { Properties } from '../../vocabulary.js'
import type { ApiContext } from '../context.js'
import { present } from '../present.js'
import { pageSize } from '../types/paging.js'
import { AuditEntry, Project, ProjectChanges, ProjectInput, System } from '../types/projects.js'

const settingNames: ReadonlySet<string> = new Set(['rejectBelow', 'idealDistribution'])

@Resolver(() => Project)
export class ProjectResolver {
  @Query(() => [Project], { description: 'All projects, by id.' })
  projects(@Ctx() { platform }: ApiContext): Promise<Project[]> {
    return readProjects(platform.database)
  }

  @Query(() => Project, { description: 'A project by its id.' })
  project(@Ctx() { platform }: ApiContext, @Arg('id', () => ID) id: string): Promise<Project> {
    return readProject(platform.database, id)
  }

  @Query(() => [System], { description: 'The systems of a project, or of all projects.' })
  systems(@Ctx() { platform }: ApiContext, @Arg('projectId', () => ID, { nullable: true }) projectId?: string | null): Promise<System[]> {
    return readSystems(platform.database, projectId ?? undefined)
  }

  @Query(() => [AuditEntry], { description: 'Who did what, newest first.' })
  audit(
    @Ctx() { platform }: ApiContext,
    @Arg('action', () => String, { nullable: true }) action?: string | null,
    @Arg('first', () => Int, { defaultValue: 50 }) first = 50,
    @Arg('after', () => Int, { nullable: true, description: 'The id of the last entry already seen' }) after?: number | null,
  ): Promise<AuditEntry[]> {
    return readAudit(platform.database, present({ action, after, first: pageSize(first) }))
  }

  @Mutation(() => Project, { description: 'Makes a project with its systems, or renames them; nothing is taken away.' })
  createProject(
    @Ctx() { platform, actor }: ApiContext,
    @Arg('input', () => ProjectInput) input: ProjectInput,
    @Arg('systems', () => [ProjectInput], { defaultValue: [] }) systems: ProjectInput[],
  ): Promise<Project> {
    return platform.database.transaction(async (sql) => {
      const project = await saveProject(sql, present(input))
      for (const system of systems) await saveSystem(sql, { ...present(system), projectId: project.id })
      await appendAudit(sql, { actor, action: 'create-project', subject: project.id, details: { systems: systems.map((s) => s.id) } })
      return project
    })
  }

  @Mutation(() => Project, { description: 'Renames or describes a project, or says what its ingests take by default.' })
  updateProject(
    @Ctx() { platform, actor }: ApiContext,
    @Arg('id', () => ID) id: string,
    @Arg('changes', () => ProjectChanges) changes: ProjectChanges,
  ): Promise<Project> {
    return platform.database.transaction(async (sql) => {
      await readProject(sql, id)
      await saveProject(sql, { id, ...present({ name: changes.name, description: changes.description }) })
      // here null takes a setting back, and undefined leaves it
      const settings = Object.fromEntries(Object.entries(changes).filter(([key, value]) => settingNames.has(key) && value !== undefined))
      const project = await saveProjectSettings(sql, id, settings)
      await appendAudit(sql, { actor, action: 'update-project', subject: id, details: { ...changes } as Properties })
      return project
    })
  }

  @Mutation(() => System, { description: 'Makes a system in a project that exists, or renames or describes it.' })
  saveSystem(
    @Ctx() { platform, actor }: ApiContext,
    @Arg('projectId', () => ID) projectId: string,
    @Arg('input', () => ProjectInput) input: ProjectInput,
  ): Promise<System> {
    return platform.database.transaction(async (sql) => {
      const system = await saveSystem(sql, { ...present(input), projectId })
      await appendAudit(sql, { actor, action: 'save-system', subject: `${projectId}/${system.id}`, details: { ...input } as Properties })
      return system
    })
  }

  @FieldResolver(() => [System], { name: 'systems' })
  systemsOf(@Root() project: Project, @Ctx() { loaders }: ApiContext): Promise<System[]> {
    return loaders.systemsOfProject.load(project.id)
  }
}
