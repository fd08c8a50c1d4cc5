using System.Diagnostics;
using System.Text.RegularExpressions;
using LoggingService.Tests.Support;

namespace LoggingService.Tests;

/// <summary>scripts/try-with-synapse shows the service next to a real Synapse.</summary>
public partial class TryWithSynapseTests
{
    private static readonly TimeSpan Limit = TimeSpan.FromMinutes(4);

    private static readonly EnumerationOptions Deep = new()
    {
        RecurseSubdirectories = true,
        MaxRecursionDepth = 1,
        IgnoreInaccessible = true,
    };

    [Fact]
    public async Task The_script_shows_the_log_of_two_users_and_leaves_nothing_behind()
    {
        await SynapseInstallation.EnsureAsync();
        using var folder = TempFolder.ForCaller();
        using var limit = new CancellationTokenSource(Limit);
        using var script = Start(folder);
        var errors = script.StandardError.ReadToEndAsync(limit.Token);
        var shown = await script.StandardOutput.ReadToEndAsync(limit.Token);
        await script.WaitForExitAsync(limit.Token);

        Assert.True(script.ExitCode == 0, $"{script.ExitCode}\n{shown}\n{await errors}");
        Assert.Equal(
            [
                "*** @alice:localhost joined",
                "<@alice:localhost> Hello! Is anybody here?",
                "*** @bob:localhost joined",
                "<@bob:localhost, to @alice:localhost TIME \"Hello! Is anybody here?\"> I am. Good morning!",
                "*** @bob:localhost reacted \"👋\" to @alice:localhost TIME \"Hello! Is anybody here?\"",
                "*** @alice:localhost set the topic to \"What a log looks like\"",
                "* @alice:localhost reads along",
                "<@bob:localhost> So all of this is in the log?",
                "<@alice:localhost> Line by line.",
            ],
            LineOfLog().Matches(shown)
                .Select(line => Time().Replace(line.Groups[1].Value, "TIME"))
                .Where(line => LineOfUser().IsMatch(line))
                .TakeLast(9));
        AssertNothingIsLeft(folder);
    }

    [Fact]
    public async Task A_script_that_is_stopped_leaves_nothing_behind()
    {
        await SynapseInstallation.EnsureAsync();
        using var folder = TempFolder.ForCaller();
        using var limit = new CancellationTokenSource(Limit);
        using var script = Start(folder);
        while (await script.StandardOutput.ReadLineAsync(limit.Token) is { } line && !line.StartsWith("Starting Synapse"))
        {
        }

        ChildProcess.Terminate(script.Id);
        await script.WaitForExitAsync(limit.Token);

        Assert.Equal(130, script.ExitCode);
        AssertNothingIsLeft(folder);
    }

    // By its path in the checkout, from another working directory: the script builds the service.
    private static Process Start(TempFolder folder)
    {
        var start = new ProcessStartInfo(Path.Combine(Checkout.Folder, "scripts", "try-with-synapse")) { WorkingDirectory = folder.Path };
        start.Environment["TMPDIR"] = folder.Path;
        return ChildProcess.Start(start);
    }

    // Each process of the script has the folder in its environment, its command line or its mounts.
    private static void AssertNothingIsLeft(TempFolder folder)
    {
        Assert.Empty(Directory.GetFileSystemEntries(folder.Path));
        foreach (var name in (string[])["environ", "cmdline", "mountinfo"])
            Assert.DoesNotContain(Directory.GetFiles("/proc", name, Deep), file => Holds(file, folder.Path));
    }

    // A process may have ended in the meantime, and one that root can't read isn't the script's.
    private static bool Holds(string file, string text)
    {
        try
        {
            return File.ReadAllText(file).Contains(text);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return false;
        }
    }

    [GeneratedRegex(@"^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d [+-]\d\d:\d\d (.*)$", RegexOptions.Multiline)]
    private static partial Regex LineOfLog();

    // Not what the service says, at a moment of its own, about the notice that it sends.
    [GeneratedRegex(@"^(<|\* |\*\*\* )@(alice|bob):")]
    private static partial Regex LineOfUser();

    [GeneratedRegex(@"\b\d\d:\d\d:\d\d\b")]
    private static partial Regex Time();
}
