using System.Globalization;
using LoggingService.Tests.Support;

namespace LoggingService.Tests.Pages;

/// <summary>The service starts the web pages as a process of its own, which cannot harm it.</summary>
public class PagesProcessTests
{
    [Fact]
    public async Task The_pages_start_again_after_a_crash_and_end_with_the_service_also_if_it_is_killed()
    {
        using var folder = TempFolder.ForCaller();
        await using var service = ServiceProcess.Start(
            folder.Path, "--urls", "http://127.0.0.1:0", "--pages", "http://127.0.0.1:0", "--Pages:PathPrefix=/logs");
        var first = await PagesAsync(service, after: 0);
        using var client = new HttpClient();
        Assert.Contains("No room is shown here", await ReadAsync(client, first.Url), StringComparison.Ordinal);

        ChildProcess.Send(first.Id, Signals.Kill);
        await service.WaitForLineAsync("The process of the web pages ended with exit code 137. Starting it again in 1 s");
        var second = await PagesAsync(service, after: first.Id);
        Assert.Contains("No room is shown here", await ReadAsync(client, second.Url), StringComparison.Ordinal);
        Assert.False(service.HasExited);

        service.Send(Signals.Kill);
        await Wait.UntilAsync(() => !Directory.Exists($"/proc/{second.Id}"), "the pages end");
    }

    [Fact]
    public async Task An_address_that_is_in_use_does_not_keep_the_service_from_starting()
    {
        using var folder = TempFolder.ForCaller();
        using var taken = new System.Net.Sockets.TcpListener(System.Net.IPAddress.Loopback, 0);
        taken.Start();
        await using var service = ServiceProcess.Start(
            folder.Path, "--urls", "http://127.0.0.1:0", "--pages", $"http://{taken.LocalEndpoint}");
        await service.WaitForLineAsync("Pages: .*another program listens there already");
        await service.WaitForLineAsync("Starting it again in 2 s. Logging is not affected.");
        await service.WaitForLineAsync("Listening on ");
        Assert.Equal(0, await service.StopAsync());
    }

    /// <summary>The process of the pages that is not an earlier one, and where it listens.</summary>
    private static async Task<(int Id, string Url)> PagesAsync(ServiceProcess service, int after)
    {
        var id = 0;
        await Wait.UntilAsync(
            () => (id = ChildrenOf(service.Id).FirstOrDefault(child => child != after)) != 0, "the pages have a process");
        var count = after == 0 ? 1 : 2;
        await Wait.UntilAsync(() => UrlsOf(service).Count() == count, "the pages listen");
        return (id, UrlsOf(service).Last());
    }

    private static IEnumerable<string> UrlsOf(ServiceProcess service) => service.Output
        .Where(line => line.Contains("Showing logs at ", StringComparison.Ordinal))
        .Select(line => line[line.IndexOf("http://", StringComparison.Ordinal)..]);

    private static IEnumerable<int> ChildrenOf(int parent) =>
        from folder in Directory.GetDirectories("/proc/")
        where int.TryParse(Path.GetFileName(folder), out _)
        let stat = TryRead($"{folder}/stat")
        where stat[(stat.LastIndexOf(')') + 1)..].Split(' ', StringSplitOptions.RemoveEmptyEntries) is [_, var id, ..]
            && id == parent.ToString(CultureInfo.InvariantCulture)
        select int.Parse(Path.GetFileName(folder), CultureInfo.InvariantCulture);

    private static string TryRead(string path)
    {
        try
        {
            return File.ReadAllText(path);
        }
        catch (IOException)
        {
            return ")";
        }
    }

    private static Task<string> ReadAsync(HttpClient client, string url) =>
        client.GetStringAsync(new Uri(url), TestContext.Current.CancellationToken);
}
