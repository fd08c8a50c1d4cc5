using System.Text.RegularExpressions;
using LoggingService.Registration;
using LoggingService.Tests.Support;

namespace LoggingService.Tests;

/// <summary>What <c>rotate-tokens</c> does to the files.</summary>
public sealed class RotateTokensCommandTests : IDisposable
{
    private readonly TempFolder _folder = TempFolder.ForCaller();

    private string Registration => _folder["registration.yaml"];

    private string PreviousTokensFile => _folder["logs", ".previous-tokens"];

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("\"old as\"", "'old hs'")]
    [InlineData("old_as", "old_hs  # the homeserver's")]
    [InlineData("\"old_\\x61s\"  # ours", "  old_hs")]
    public async Task The_command_changes_the_tokens_only(string asToken, string hsToken)
    {
        (asToken, hsToken) = (asToken.Replace("old as", "old_as"), hsToken.Replace("old hs", "old_hs"));
        var text = $"""
            # Ünïcode 🦊
            hs_token: {hsToken}
            id: logging
            de.sorunome.msc2409.push_ephemeral: true
            url: http://localhost:5000   # old_as
            as_token: {asToken}
            sender_localpart: "old_hs"
            rate_limited: false
            namespaces: {"{users: [], rooms: [], aliases: [{exclusive: false, regex: \"#logged_.*\"}]}"}

            """;
        await File.WriteAllTextAsync(_folder["target.yaml"], text, TestContext.Current.CancellationToken);
        File.CreateSymbolicLink(Registration, _folder["target.yaml"]);
        const UnixFileMode Mode = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead | UnixFileMode.GroupWrite;
        File.SetUnixFileMode(_folder["target.yaml"], Mode);
        CreateLogDirectory();
        await using var command = ServiceProcess.Start(_folder.Path, "rotate-tokens");

        Assert.True(await command.WaitForExitAsync() == 0, string.Join('\n', command.Output));

        var tokens = RegistrationReader.Read(Registration);
        Assert.Matches("^[A-Za-z0-9_-]{64}$", tokens.AsToken);
        Assert.Matches("^[A-Za-z0-9_-]{64}$", tokens.HsToken);
        Assert.NotEqual(tokens.AsToken, tokens.HsToken);
        var rest = File.ReadAllText(Registration).Replace($"\"{tokens.AsToken}\"", "?").Replace($"\"{tokens.HsToken}\"", "?");
        Assert.Equal(Regex.Replace(text, @"(?m)^((?:as|hs)_token: +)(?:[""'][^""']+[""']|old_..)", "$1?"), rest);
        Assert.Equal(Mode, File.GetUnixFileMode(_folder["target.yaml"]));
        Assert.NotNull(new FileInfo(Registration).LinkTarget);
        Assert.Equal("old_as old_hs\n", File.ReadAllText(PreviousTokensFile));
        Assert.Contains("     sudo systemctl reload logging-service", command.Output);
        Assert.DoesNotContain(command.Output, line => line.Contains(tokens.AsToken) || line.Contains(tokens.HsToken));
    }

    [Fact]
    public async Task A_rotation_that_ends_while_the_next_one_begins_discards_no_token_of_it()
    {
        CreateLogDirectory();
        var logs = _folder["logs"];
        for (var i = 0; i < 200; i++)
        {
            var (ending, added) = (new TokenPair($"as{i}", $"hs{i}"), new TokenPair($"as{i + 1}", $"hs{i + 1}"));
            PreviousTokens.Add(logs, ending);
            await Task.WhenAll(
                Task.Run(() => PreviousTokens.Add(logs, added), TestContext.Current.CancellationToken),
                Task.Run(() => PreviousTokens.Remove(logs, [ending]), TestContext.Current.CancellationToken));

            Assert.Equal($"as{i + 1} hs{i + 1}\n", await File.ReadAllTextAsync(PreviousTokensFile, TestContext.Current.CancellationToken));
        }
    }

    [Fact]
    public async Task Tokens_that_are_not_written_out_are_left_to_the_admin()
    {
        var text = ServiceUnderTest.RegistrationText()
            .Replace($"\"{ServiceUnderTest.AsToken}\"", "&token \"shared\"", StringComparison.Ordinal)
            .Replace($"\"{ServiceUnderTest.HsToken}\"", "*token", StringComparison.Ordinal);
        File.WriteAllText(Registration, text);
        CreateLogDirectory();

        await ServiceProcess.AssertOneLineAsync(78, _folder, "write as_token and hs_token as texts in double quotes", "rotate-tokens");

        Assert.Equal(text, File.ReadAllText(Registration));
        Assert.False(File.Exists(PreviousTokensFile));
    }

    [Fact]
    public async Task The_files_keep_their_owners()
    {
        Assert.SkipUnless(Environment.UserName == "root" && OperatingSystem.IsLinux(), "Only root can give files away.");
        File.WriteAllText(Registration, ServiceUnderTest.RegistrationText());
        CreateLogDirectory();
        await RunAsync("chown", "0:4321", Registration);
        await RunAsync("chown", "1234:4321", _folder["logs"]);
        await using var command = ServiceProcess.Start(_folder.Path, "rotate-tokens");

        Assert.Equal(0, await command.WaitForExitAsync());

        Assert.Equal("0:4321\n", await RunAsync("stat", "-c", "%u:%g", Registration));
        Assert.Equal("1234:4321\n", await RunAsync("stat", "-c", "%u:%g", PreviousTokensFile));
    }

    [Fact]
    public async Task Without_the_services_log_directory_the_tokens_stay()
    {
        var text = ServiceUnderTest.RegistrationText();
        File.WriteAllText(Registration, text);

        await ServiceProcess.AssertOneLineAsync(1, _folder, "There is no log directory", "rotate-tokens");
        Directory.CreateDirectory(_folder["logs"]);
        await ServiceProcess.AssertOneLineAsync(1, _folder, "No service has written to", "rotate-tokens");

        Assert.Equal(text, File.ReadAllText(Registration));
    }

    [Fact]
    public async Task Check_says_that_the_homeserver_has_the_previous_tokens()
    {
        using var homeserver = new FakeHomeserver();
        File.WriteAllText(Registration, ServiceUnderTest.RegistrationText($"http://127.0.0.1:{FreePort.Next()}"));
        CreateLogDirectory();
        await using (var before = ServiceProcess.Start(_folder.Path, "check", "--homeserver", homeserver.Address))
        {
            await before.WaitForLineAsync("^ok +registration .* as @logging:localhost");
            Assert.DoesNotContain(before.Output, line => line.Contains("previous tokens"));
        }

        TokenRotation.Run(Registration, _folder["logs"]);

        await using var after = ServiceProcess.Start(_folder.Path, "check", "--homeserver", homeserver.Address);
        await after.WaitForLineAsync("^ok +registration .* as @logging:localhost, with its previous tokens: replace its copy of ");
    }

    private static async Task<string> RunAsync(string program, params string[] arguments)
    {
        var (exitCode, output) = await ChildProcess.RunAsync(program, arguments, TestContext.Current.CancellationToken);
        Assert.Equal(0, exitCode);
        return output;
    }

    private void CreateLogDirectory()
    {
        Directory.CreateDirectory(_folder["logs"]);
        File.WriteAllText(_folder["logs", ".lock"], "");
    }
}
