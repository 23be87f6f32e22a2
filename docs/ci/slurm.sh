#!/usr/bin/env bash
# Grades a batch on several nodes of a Slurm cluster, in folders that all of them see, then joins the parts:
#   sbatch --array=1-4 docs/ci/slurm.sh submissions/ step-04 out
#   cargo lab grade collect out-*/ --report out/
# A node that fails has its part queued again, and it goes on where it stopped.
#SBATCH --job-name=grade
#SBATCH --cpus-per-task=2
#SBATCH --mem=4G
#SBATCH --time=02:00:00
#SBATCH --requeue
#SBATCH --open-mode=append
set -euo pipefail
submissions=$1 lab=$2 out=$3
code=0
cargo lab grade "$submissions" --lab "$lab" --seed 7 --jobs "$SLURM_CPUS_PER_TASK" --services native \
  --shard "$SLURM_ARRAY_TASK_ID/$SLURM_ARRAY_TASK_COUNT" --report "$out-$SLURM_ARRAY_TASK_ID" --resume || code=$?
case $code in
  # The grader or the machine has failed: three more tries.
  4 | 70 | 130) if [ "${SLURM_RESTART_COUNT:-0}" -lt 3 ]; then scontrol requeue "${SLURM_ARRAY_JOB_ID}_$SLURM_ARRAY_TASK_ID"; fi ;;
esac
exit "$code"
