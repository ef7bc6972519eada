/**
 * Ranks of one distributed job start together and wait for each other: holding one of them back is a deadlock. So
 * they are told from replicas, by what their launchers put into the environment.
 */

export interface Rank {
  /** Among all of the job on this host, where the launcher tells; else among all. */
  rank: number
  worldSize: number
  launcher: string
}

/** Variables: rank on this host, rank, number of ranks. */
const LAUNCHERS: { launcher: string; local?: string; rank: string; worldSize: string }[] = [
  // torch.distributed.run, and accelerate, deepspeed and Ray Train, which set the same.
  { launcher: 'torchrun', local: 'LOCAL_RANK', rank: 'RANK', worldSize: 'WORLD_SIZE' },
  {
    launcher: 'OpenMPI',
    local: 'OMPI_COMM_WORLD_LOCAL_RANK',
    rank: 'OMPI_COMM_WORLD_RANK',
    worldSize: 'OMPI_COMM_WORLD_SIZE',
  },
  { launcher: 'MPICH', local: 'MPI_LOCALRANKID', rank: 'PMI_RANK', worldSize: 'PMI_SIZE' },
  // Also of a job with one task, where SLURM_NTASKS is 1.
  { launcher: 'SLURM', local: 'SLURM_LOCALID', rank: 'SLURM_PROCID', worldSize: 'SLURM_NTASKS' },
  // vllm/envs.py: data-parallel ranks, which meet in collectives.
  { launcher: 'vLLM', local: 'VLLM_DP_RANK_LOCAL', rank: 'VLLM_DP_RANK', worldSize: 'VLLM_DP_SIZE' },
]

/** `null`: a replica, or a program by itself. */
export function rankOf(env: Readonly<Record<string, string | undefined>>): Rank | null {
  for (const { launcher, local, rank, worldSize } of LAUNCHERS) {
    const size = wholeNumber(env[worldSize])
    const own = wholeNumber(local === undefined ? undefined : env[local]) ?? wholeNumber(env[rank])
    if (size !== null && size > 1 && own !== null) return { rank: own, worldSize: size, launcher }
  }
  return null
}

function wholeNumber(text: string | undefined): number | null {
  return text !== undefined && /^\d{1,9}$/.test(text) ? Number(text) : null
}

/** The slots to try, in this order: a rank's own first, so that it finds the same one next time. */
export function* slotNumbers(rank: Rank | null, maxSlots: number): Generator<number> {
  const first = rank === null ? 0 : rank.worldSize
  if (rank !== null) yield rank.rank
  for (let number = first; number < first + maxSlots; number++) yield number
}
