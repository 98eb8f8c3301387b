#!/usr/bin/env bash
# One shard of a run on each node: ID=$(sbatch --parsable docs/cluster/slurm.sh)
# Then, whatever their exit codes:
#   sbatch --dependency=afterany:$ID --wrap "suite merge reports/$ID/*/latest --out reports/merged"
#SBATCH --job-name=suite
#SBATCH --array=1-4
#SBATCH --nodes=1
#SBATCH --exclusive
#SBATCH --output=suite-%A-%a.txt
set -euo pipefail

# --exclusive: what is timed needs the node for itself. Nodes of several kinds become runs of their own when merged.
suite bench \
  --shard "$SLURM_ARRAY_TASK_ID/$SLURM_ARRAY_TASK_COUNT" \
  --reports-dir "$SLURM_SUBMIT_DIR/reports/$SLURM_ARRAY_JOB_ID/$SLURM_ARRAY_TASK_ID" \
  ${DURATIONS:+--durations "$DURATIONS"}
