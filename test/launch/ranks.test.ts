/** Ranks of a distributed job, and the slots that they try. */
import { expect, test } from 'vitest'
import { rankOf, slotNumbers } from '../../src/launch/ranks.js'
import { useScratch } from '../support/scratch.js'
import { prepareTestWorker } from '../support/slot-workers.js'

const scratch = useScratch()

test.each([
  ['torchrun', { LOCAL_RANK: '3', RANK: '11', WORLD_SIZE: '16' }, 3, 16],
  ['torchrun', { RANK: '11', WORLD_SIZE: '16' }, 11, 16],
  ['SLURM', { SLURM_LOCALID: '0', SLURM_PROCID: '4', SLURM_NTASKS: '8' }, 0, 8],
  [
    'OpenMPI',
    { OMPI_COMM_WORLD_LOCAL_RANK: '1', OMPI_COMM_WORLD_RANK: '5', OMPI_COMM_WORLD_SIZE: '8' },
    1,
    8,
  ],
  ['MPICH', { PMI_RANK: '2', PMI_SIZE: '4' }, 2, 4],
  ['MPICH', { MPI_LOCALRANKID: '1', PMI_RANK: '3', PMI_SIZE: '4' }, 1, 4],
  ['vLLM', { VLLM_DP_RANK: '5', VLLM_DP_RANK_LOCAL: '1', VLLM_DP_SIZE: '8' }, 1, 8],
])('%s: %j is rank %i of %i', (launcher, env, rank, worldSize) => {
  expect(rankOf(env)).toEqual({ rank, worldSize, launcher })
})

test.each([
  {},
  { RANK: '0', WORLD_SIZE: '1' },
  { SLURM_PROCID: '0', SLURM_NTASKS: '1' },
  { RANK: '1' },
  { WORLD_SIZE: '8' },
  { RANK: '', WORLD_SIZE: '8' },
  { RANK: '-1', WORLD_SIZE: '8' },
  { RANK: '1.5', WORLD_SIZE: '8' },
  { RANK: '0x1', WORLD_SIZE: '8' },
  { RANK: ' 1', WORLD_SIZE: '8' },
  { RANK: '1', WORLD_SIZE: 'eight' },
  { RANK: '1', WORLD_SIZE: '1e3' },
  { RANK: '1', WORLD_SIZE: '99999999999999999999' },
  { RANK: '../../etc', WORLD_SIZE: '8' },
  { VLLM_DP_RANK: '0', VLLM_DP_SIZE: '1' },
])('%j is a replica', (env) => {
  expect(rankOf(env)).toBeNull()
})

test('a launcher that says nothing leaves it to the next', () => {
  const env = { WORLD_SIZE: '1', RANK: '0', SLURM_PROCID: '2', SLURM_NTASKS: '4' }
  expect(rankOf(env)).toMatchObject({ launcher: 'SLURM', rank: 2 })
})

test('a rank tries its own slot first, and then those that are no rank’s', () => {
  expect([...slotNumbers({ rank: 3, worldSize: 8, launcher: 'torchrun' }, 3)]).toEqual([3, 8, 9, 10])
  expect([...slotNumbers(null, 3)]).toEqual([0, 1, 2])
})

test('a rank is never held back: all would wait for it', async () => {
  const rank = { RANK: '0', WORLD_SIZE: '2' }
  await expect(prepareTestWorker(scratch(), { once: true, env: rank })).rejects.toMatchObject({
    code: 'ONCE_REFUSED',
  })
})
