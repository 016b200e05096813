import { Arg, Ctx, FieldResolver, ID, Int, Mutation, Query, Resolver, Root } from 'type-graphql'
import { appendAudit, readAudit, readProjects, readSystems, saveProject, saveSystem } from '../../access/store.js'
import type { ApiContext } from '../context.js'
import { present } from '../present.js'
import { pageSize } from '../types/paging.js'
import { AuditEntry, Project, ProjectInput, System } from '../types/projects.js'

@Resolver(() => Project)
export class ProjectResolver {
  @Query(() => [Project], { description: 'All projects, by id.' })
  projects(@Ctx() { platform }: ApiContext): Promise<Project[]> {
    return readProjects(platform.database)
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

  @FieldResolver(() => [System], { name: 'systems' })
  systemsOf(@Root() project: Project, @Ctx() { loaders }: ApiContext): Promise<System[]> {
    return loaders.systemsOfProject.load(project.id)
  }
}
