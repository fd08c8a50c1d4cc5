using System.Globalization;
using System.Text.RegularExpressions;
using LoggingService.Tests.Support;

namespace LoggingService.Tests.Packaging;

/// <summary>The systemd unit, and whether the published program works within it.</summary>
public sealed class SystemdUnitTests : IDisposable
{
    private static readonly string Units = Path.Combine(Checkout.Folder, "packaging");
    private static readonly string Unit = Path.Combine(Checkout.Folder, "packaging", "logging-service.service");
    private readonly TempFolder _folder = TempFolder.ForCaller();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("logging-service.service")]
    [InlineData("logging-service-pages.service")]
    public async Task Its_exposure_is_at_most_1_5(string name)
    {
        await Release.EnsureToolsAsync(needsProgram: false);
        var analysis = await ProcessOutput.GetAsync(
            "systemd-analyze", "security", "--offline=yes", "--no-pager", Path.Combine(Units, name));
        var level = Regex.Match(analysis, @"Overall exposure level for [a-z-]+\.service: ([0-9.]+)").Groups[1].Value;
        Assert.InRange(double.Parse(level, CultureInfo.InvariantCulture), 0, 1.5);
    }

    [Theory]
    [InlineData("logging-service.service")]
    [InlineData("logging-service-pages.service")]
    public async Task It_has_no_unknown_or_invalid_line(string name)
    {
        await Release.EnsureToolsAsync(needsProgram: false);
        var unit = _folder[name];
        var text = File.ReadAllText(Path.Combine(Units, name)).Replace("/opt/logging-service/LoggingService", "/bin/true");
        await File.WriteAllTextAsync(unit, text, TestContext.Current.CancellationToken);
        Assert.Equal("", await ProcessOutput.GetAsync("systemd-analyze", "verify", "--man=no", unit));
    }

    [Theory]
    [InlineData("Type=notify")]
    [InlineData("ExecReload=/bin/kill -HUP $MAINPID")]
    [InlineData("RestartPreventExitStatus=78")]
    [InlineData("MemoryDenyWriteExecute=yes")]
    [InlineData("UMask=0027")]
    public void It_has_what_the_documents_promise(string line) => Assert.Contains(line, File.ReadLines(Unit));

    [Theory]
    [InlineData("ExecStart=/opt/logging-service/LoggingService pages")]
    [InlineData("InaccessiblePaths=-/etc/logging-service/registration.yaml")]
    [InlineData("ReadWritePaths=-/var/lib/logging-service/logs/.index")]
    [InlineData("ProtectSystem=strict")]
    [InlineData("MemoryDenyWriteExecute=yes")]
    public void The_pages_read_no_token_and_write_only_their_index(string line) =>
        Assert.Contains(line, File.ReadLines(Path.Combine(Units, "logging-service-pages.service")));

    [Fact]
    public async Task The_published_program_makes_only_system_calls_that_it_allows()
    {
        await Release.EnsureToolsAsync(needsProgram: true);
        var trace = _folder["trace"];

        // The unit's ProcSubset and ProtectProc.
        string[] under =
        [
            "unshare", "--mount", "sh", "-c", "mount -t proc -o subset=pid,hidepid=invisible proc /proc && exec \"$@\"", "sh",
            "strace", "-D", "-f", "-qq", "-o", trace,
        ];
        using var homeserver = new FakeHomeserver();
        await using (var service = await RunningService.StartAsync(_folder, homeserver, under))
        {
            var id = Some.EventId();
            Assert.Equal(200, await service.PushAsync(Some.Message("!a:localhost", eventId: id)));
            await Wait.UntilAsync(() => LogFolder.HasLogged(service.Logs, "!a:localhost", [id]), "the event is logged");
            await service.Process.WaitForLineAsync("knows this service as");
            Assert.Equal(0, await service.Process.StopAsync());
        }

        var calls = File.ReadLines(trace).Select(line => Regex.Match(line, @"^\d+ +(\w+)\((.*)")).Where(call => call.Success)
            .SkipWhile(call => !call.Value.Contains(Path.GetFileName(ServiceProcess.Program[0]), StringComparison.Ordinal)).ToList();
        var allowed = await AllowedCallsAsync();
        Assert.True(calls.Count > 1000);
        Assert.Empty(calls.Select(call => call.Groups[1].Value).Distinct().Except(allowed));

        // MemoryDenyWriteExecute.
        Assert.DoesNotContain(calls, call => call.Groups[1].Value == "mprotect" && call.Value.Contains("PROT_EXEC"));
        Assert.DoesNotContain(calls, call => call.Groups[1].Value == "mmap" && call.Value.Contains("PROT_WRITE|PROT_EXEC"));
    }

    /// <summary>What the SystemCallFilter lines of the unit allow: the first one sets, one with a tilde takes away.</summary>
    private static async Task<HashSet<string>> AllowedCallsAsync()
    {
        var allowed = new HashSet<string>();
        foreach (var line in File.ReadLines(Unit).Where(line => line.StartsWith("SystemCallFilter=")))
        {
            var sets = line["SystemCallFilter=".Length..];
            foreach (var set in sets.TrimStart('~').Split(' '))
            {
                var calls = await CallsOfAsync(set);
                if (sets.StartsWith('~'))
                {
                    allowed.ExceptWith(calls);
                }
                else
                {
                    allowed.UnionWith(calls);
                }
            }
        }

        // Always allowed.
        allowed.UnionWith(await CallsOfAsync("@default"));
        return allowed;
    }

    private static async Task<HashSet<string>> CallsOfAsync(string set)
    {
        var calls = new HashSet<string>();
        var lines = (await ProcessOutput.GetAsync("systemd-analyze", "syscall-filter", set)).Split('\n').Select(line => line.Trim());
        foreach (var name in lines.Skip(1).Where(line => line.Length > 0 && line[0] != '#'))
        {
            if (name[0] == '@')
            {
                calls.UnionWith(await CallsOfAsync(name));
            }
            else
            {
                calls.Add(name);
            }
        }

        return calls;
    }
}
