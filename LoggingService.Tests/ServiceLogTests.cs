using System.Net.Http.Headers;
using LoggingService.Tests.Support;

namespace LoggingService.Tests;

/// <summary>What an admin reads on the terminal is the service's word, not a stranger's.</summary>
public class ServiceLogTests
{
    [Fact]
    public async Task An_alias_with_line_breaks_and_escape_sequences_forges_no_line_of_the_services_own_log()
    {
        using var folder = TempFolder.ForCaller();
        var port = FreePort.Next();
        await File.WriteAllTextAsync(folder["registration.yaml"], ServiceUnderTest.RegistrationText($"http://127.0.0.1:{port}"), TestContext.Current.CancellationToken);
        await using var service = ServiceProcess.Start(folder.Path, "--homeserver", $"http://127.0.0.1:{FreePort.Next()}");
        await service.WaitForLineAsync("Listening on");

        using var homeserver = new HttpClient();
        homeserver.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", ServiceUnderTest.HsToken);
        using var answer = await homeserver.GetAsync(
            new Uri($"http://127.0.0.1:{port}/_matrix/app/v1/rooms/%23logged_%0A00:00:00%20ERR%20forged%1B[2J%E2%80%AE:localhost"), TestContext.Current.CancellationToken);

        var line = await service.WaitForLineAsync("#logged_.*could not be made.*");
        Assert.Contains(@"#logged_␊00:00:00 ERR forged␛[2J\u{202E}:localhost", line.Value, StringComparison.Ordinal);
        Assert.DoesNotContain(service.Output, output => output.StartsWith("00:00:00 ERR forged", StringComparison.Ordinal) || output.Contains('\e'));
    }
}
