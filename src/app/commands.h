// The subcommands of `aio`, one file each. Register*() adds a subcommand to the program;
// when it is the one called, it runs and stores the exit status.
#ifndef AIO_APP_COMMANDS_H_
#define AIO_APP_COMMANDS_H_

#include <string>
#include <string_view>

#include "base/status.h"

namespace CLI {
class App;
}

namespace aio {

enum ExitStatus : int {
  kExitOk = 0,
  kExitFailed = 1,  // the work could not be done; standard error says why
  kExitUsage = 2,   // wrong command line
};

void RegisterServe(CLI::App& program, int& exit_status);
void RegisterChat(CLI::App& program, int& exit_status);
void RegisterGenerate(CLI::App& program, int& exit_status);
void RegisterRoute(CLI::App& program, int& exit_status);
void RegisterReplay(CLI::App& program, int& exit_status);
void RegisterSimulate(CLI::App& program, int& exit_status);
void RegisterAttack(CLI::App& program, int& exit_status);
void RegisterCalibrate(CLI::App& program, int& exit_status);
void RegisterInspect(CLI::App& program, int& exit_status);
void RegisterQuantize(CLI::App& program, int& exit_status);
void RegisterSynthesize(CLI::App& program, int& exit_status);
void RegisterBench(CLI::App& program, int& exit_status);
void RegisterBenchPair(CLI::App& bench, int& exit_status);  // under `aio bench`, as the next six
void RegisterBenchStrategies(CLI::App& bench, int& exit_status);
void RegisterBenchSteps(CLI::App& bench, int& exit_status);
void RegisterBenchProbe(CLI::App& bench, int& exit_status);
void RegisterBenchMixed(CLI::App& bench, int& exit_status);
void RegisterBenchDevice(CLI::App& bench, int& exit_status);
void RegisterBenchLoad(CLI::App& bench, int& exit_status);
void RegisterKeys(CLI::App& program, int& exit_status);
void RegisterSettings(CLI::App& program, int& exit_status);
void RegisterValidate(CLI::App& program, int& exit_status);
void RegisterVerify(CLI::App& program, int& exit_status);
void RegisterFitHead(CLI::App& program, int& exit_status);
void RegisterReport(CLI::App& program, int& exit_status);
void RegisterEval(CLI::App& program, int& exit_status);
void RegisterReproduce(CLI::App& program, int& exit_status);
// `aio completions` and `aio man`, of all that is registered when they run.
void RegisterManual(CLI::App& program, const std::string& version, int& exit_status);

// Prints an answer's text as it comes. Throws std::system_error if that fails.
void PrintNow(std::string_view text);

// Prints a line to standard error. That nobody can read it is no failure.
void PrintNote(std::string_view line);

// Prints "aio: <message>" to standard error.
int Fail(const Status& status);

// `exit_status`, or that of a failure if standard output did not take all that was printed.
int FinishOutput(int exit_status);

}  // namespace aio

#endif  // AIO_APP_COMMANDS_H_
