using LoggingService.Tests.Support;

namespace LoggingService.Tests;

/// <summary>A full disk behind standard output, a missing folder: one line and an exit code. A service goes on.</summary>
public class UnwritableOutputTests
{
    private static readonly string[] FullOutput = ["sh", "-c", "exec \"$@\" > /dev/full", "sh"];
    private static readonly string[] RemovedFolder = ["sh", "-c", "mkdir gone && cd gone && rmdir ../gone && exec \"$@\"", "sh"];

    [Theory]
    [InlineData("--help")]
    [InlineData("--version")]
    [InlineData("demo", "--help")]
    public async Task A_command_with_a_full_standard_output_is_one_line(params string[] arguments)
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "/dev/full is Linux's.");
        using var folder = TempFolder.ForCaller();
        await using var service = ServiceProcess.StartUnder(FullOutput, folder.Path, arguments);

        await service.AssertOneLineAsync(1, "Failed: No space left on device");
    }

    [Fact]
    public async Task A_demo_with_a_full_standard_output_ends_without_a_stack_trace()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "/dev/full is Linux's.");
        using var folder = TempFolder.ForCaller();
        await using var demo = ServiceProcess.StartUnder(FullOutput, folder.Path, "demo", "--fast");

        Assert.Equal(1, await demo.WaitForExitAsync());
        Assert.All(demo.StandardError, line => Assert.Contains("No space left on device", line, StringComparison.Ordinal));
    }

    [Fact]
    public async Task Rendering_to_a_full_standard_output_is_one_line()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "/dev/full is Linux's.");
        using var folder = TempFolder.ForCaller();
        foreach (var count in new[] { 1, 5000 })
        {
            var record = string.Concat(Enumerable.Repeat(Some.Message("!a:localhost") + "\n", count));
            await File.WriteAllTextAsync(folder["a.jsonl"], record, TestContext.Current.CancellationToken);
            await using var service = ServiceProcess.StartUnder(FullOutput, folder.Path, "render", "a.jsonl");

            await service.AssertOneLineAsync(1, "Failed to write to standard output: No space left on device");
        }
    }

    [Fact]
    public async Task A_service_with_a_full_standard_output_goes_on()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "/dev/full is Linux's.");
        using var folder = TempFolder.ForCaller();
        using var homeserver = new FakeHomeserver();
        await using (var service = await RunningService.StartAsync(folder, homeserver, FullOutput))
        {
            var room = Some.RoomId();
            Assert.Equal(200, await service.PushAsync(Some.Message(room)));
            Assert.Equal(0, await service.Process.StopAsync());

            Assert.Single(File.ReadAllLines(Directory.GetFiles(folder["logs", room], "*.jsonl").Single()));
            Assert.Contains("No space left on device", Assert.Single(service.Process.StandardError), StringComparison.Ordinal);
        }

        // Also on the first start, which prints instructions.
        File.Delete(folder["registration.yaml"]);
        await using var first = ServiceProcess.StartUnder(FullOutput, folder.Path, "--urls", "http://127.0.0.1:0", "--logs", "other");
        await Wait.UntilAsync(() => File.Exists(folder["other", ".lock"]), "the start");
        Assert.Equal(0, await first.StopAsync());
    }

    [Theory]
    [InlineData]
    [InlineData("demo", "--fast")]
    [InlineData("check")]
    public async Task A_start_in_a_folder_that_was_removed_is_one_line(params string[] arguments)
    {
        using var folder = TempFolder.ForCaller();
        await using var service = ServiceProcess.StartUnder(RemovedFolder, folder.Path, arguments);

        await service.AssertOneLineAsync(1, "The current folder does not exist any more. Change to one that does.");
    }

    [Fact]
    public async Task A_demo_without_a_temporary_folder_is_one_line()
    {
        using var folder = TempFolder.ForCaller();
        var environment = new Dictionary<string, string?> { ["TMPDIR"] = "/proc" };
        await using var demo = ServiceProcess.Start(folder.Path, environment, "demo", "--fast");

        await demo.AssertOneLineAsync(1, "The demo cannot create a temporary folder in /proc/: ");
        Assert.Empty(Directory.GetFileSystemEntries(folder.Path));
    }

    [Fact]
    public async Task A_demo_on_a_read_only_file_system_is_one_line()
    {
        Assert.SkipUnless(Environment.IsPrivilegedProcess && OperatingSystem.IsLinux(), "Only root can mount.");
        using var folder = TempFolder.ForCaller();
        string[] readOnly = ["unshare", "--mount", "sh", "-c", "mount -t tmpfs -o ro none . && cd \"$PWD\" && exec \"$@\"", "sh"];
        await using var demo = ServiceProcess.StartUnder(readOnly, folder.Path, "demo", "--fast");

        await demo.AssertOneLineAsync(1, $"The log directory {folder["demo-logs"]} is not writable: mkdir of ");
    }

    [Fact]
    public async Task A_user_without_a_name_is_named_by_its_number()
    {
        Assert.SkipUnless(Environment.IsPrivilegedProcess && OperatingSystem.IsLinux(), "Only root can become another user.");
        using var folder = TempFolder.ForCaller();
        File.SetUnixFileMode(folder.Path, (UnixFileMode)0x1ED);
        string[] nameless = ["setpriv", "--reuid", "61234", "--regid", "61234", "--clear-groups"];
        await using var service = ServiceProcess.StartUnder(nameless, folder.Path);

        await service.AssertOneLineAsync(
            78, "registration.yaml: the registration can't be created: the user with id 61234 has no write permission in the folder");
    }
}
