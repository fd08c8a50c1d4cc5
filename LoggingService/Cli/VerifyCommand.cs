using System.CommandLine;
using System.Globalization;
using LoggingService.RoomLogs;

namespace LoggingService.Cli;

/// <summary>The command <c>verify</c>: a line for each problem in the logs, and a summary.</summary>
internal static class VerifyCommand
{
    private const int HasProblems = 1;
    private const int NotVerified = 2;

    /// <param name="readOptions">Reads the settings.</param>
    public static Command Create(Func<ParseResult, LoggingServiceOptions> readOptions)
    {
        var command = new Command(
            "verify",
            "Verifies that the files of the logs fit together. Changes nothing. Exits with 1 if they do not, 2 if they can't be read.");
        var rooms = new Argument<string[]>("ROOM") { Description = "Alias or id of a room [default: all]" };
        rooms.Arity = ArgumentArity.ZeroOrMore;
        command.Add(rooms);
        SettingOption.AddTo(command, "--logs");
        command.SetAction(parsed =>
        {
            var options = readOptions(parsed);
            try
            {
                return Run(LogDirectoryPath.Of(options), parsed.GetValue(rooms) ?? []);
            }
            catch (Exception e) when (ErrorOutput.IsOneLine(e))
            {
                ErrorOutput.Write(e);
                return NotVerified;
            }
        });
        return command;
    }

    /// <exception cref="FatalException">There is no such room.</exception>
    private static int Run(string root, string[] rooms)
    {
        var isServed = LogDirectoryLock.IsHeld(root) != false;
        var verification = new LogVerification(root, isServed, problem => Console.WriteLine($"problem  {problem}"));
        if (rooms.Length == 0)
        {
            verification.VerifyAll();
        }

        foreach (var room in rooms)
        {
            verification.VerifyRoom(LogDirectoryPath.OfRoom(root, room));
        }

        Console.WriteLine(
            $"Verified {Count(verification.Rooms, "room")}, {Count(verification.Days, "day")}, {Count(verification.Events, "event")}: "
            + (verification.Problems == 0 ? "no problems" : Count(verification.Problems, "problem")));
        return verification.Problems == 0 ? 0 : HasProblems;
    }

    private static string Count(long number, string noun) =>
        string.Create(CultureInfo.InvariantCulture, $"{number} {noun}{(number == 1 ? "" : "s")}");
}
