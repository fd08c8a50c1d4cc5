using System.CommandLine;
using LoggingService.Registration;
using LoggingService.RoomLogs;

namespace LoggingService.Cli;

/// <summary>The command <c>rotate-tokens</c>: new tokens in the registration, and what to do with the homeserver's copy.</summary>
internal static class RotateTokensCommand
{
    /// <param name="readOptions">Reads the settings.</param>
    public static Command Create(Func<ParseResult, LoggingServiceOptions> readOptions)
    {
        var command = new Command("rotate-tokens", "Puts new tokens into the registration. The previous ones work until the homeserver is "
            + "restarted with its new copy.");
        SettingOption.AddTo(command, "--registration", "--logs");
        command.SetAction(parsed => Run(readOptions(parsed)));
        return command;
    }

    /// <exception cref="FatalException">The tokens can't be changed.</exception>
    private static void Run(LoggingServiceOptions options)
    {
        var logs = LogDirectoryPath.Of(options);
        if (!File.Exists(Path.Combine(logs, LogDirectoryLock.Name)))
        {
            // There the service would not find the previous tokens.
            throw new FatalException($"No service has written to {logs}. Name its log directory with --logs FOLDER.");
        }

        TokenRotation.Run(options.Registration, logs);
        Console.WriteLine(TokenRotation.NextSteps(options.Registration));
    }
}
