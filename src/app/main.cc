#include <CLI/CLI.hpp>
#include <exception>

#include "app/commands.h"
#include "kernels/target.h"

int main(int argc, char** argv) {
  CLI::App program(
      "A-IO: serves a small and a large language model and sends each request to\n"
      "the one that answers it well for the least memory traffic.",
      "aio");
  program.set_version_flag("--version", AIO_VERSION);
  program.require_subcommand(1);
  program.footer(
      "Every command has --help with an example and --json for machines.\n"
      "Exit status: 0 fine, 1 failed, 2 wrong usage.");

  if (const aio::Status status = aio::SelectTargetFromEnvironment(); !status.ok()) {
    return aio::Fail(status);
  }
  int exit_status = aio::kExitOk;
  aio::RegisterServe(program, exit_status);
  aio::RegisterChat(program, exit_status);
  aio::RegisterGenerate(program, exit_status);
  aio::RegisterRoute(program, exit_status);
  aio::RegisterReplay(program, exit_status);
  aio::RegisterSimulate(program, exit_status);
  aio::RegisterAttack(program, exit_status);
  aio::RegisterCalibrate(program, exit_status);
  aio::RegisterInspect(program, exit_status);
  aio::RegisterQuantize(program, exit_status);
  aio::RegisterSynthesize(program, exit_status);
  aio::RegisterBench(program, exit_status);
  aio::RegisterKeys(program, exit_status);
  aio::RegisterSettings(program, exit_status);
  aio::RegisterValidate(program, exit_status);
  aio::RegisterVerify(program, exit_status);
  aio::RegisterFitHead(program, exit_status);
  aio::RegisterReport(program, exit_status);
  aio::RegisterEval(program, exit_status);
  aio::RegisterReproduce(program, exit_status);
  aio::RegisterManual(program, AIO_VERSION, exit_status);

  try {
    program.parse(argc, argv);
  } catch (const CLI::ParseError& e) {
    return program.exit(e) == 0 ? aio::kExitOk : aio::kExitUsage;
  } catch (const std::exception& e) {
    return aio::Fail(aio::Internal(e.what()));
  }
  return aio::FinishOutput(exit_status);
}
