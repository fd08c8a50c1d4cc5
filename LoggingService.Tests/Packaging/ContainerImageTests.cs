using System.Text.Json;
using LoggingService.Tests.Support;

namespace LoggingService.Tests.Packaging;

/// <summary>The container image, unpacked, and run by chroot as its user on a read-only root.</summary>
[Collection(nameof(Release))]
public sealed class ContainerImageTests(Release release) : IDisposable
{
    private const string User = "65532:65532";
    private const string Registration = "/etc/logging-service/registration.yaml";
    private readonly TempFolder _folder = TempFolder.ForCaller();
    private readonly FakeHomeserver _homeserver = new();

    private RootFolder Image => new(_folder["bundle", "rootfs"])
    {
        IsReadOnly = true,
        Variables = ["TZ=Europe/Berlin"],
        Binds = [$"{_folder["logs"]}:/logs", $"{_folder["settings"]}:/etc/logging-service"],
    };

    public void Dispose()
    {
        _homeserver.Dispose();
        _folder.Dispose();
    }

    [Fact]
    public async Task The_image_logs_to_its_volume_as_another_user_on_a_read_only_root()
    {
        await UnpackAsync();
        await using var created = Image.Start(User, [.. await EntrypointAsync(), "create-registration", "--url", "http://service:5000"]);
        Assert.Equal(0, await created.WaitForExitAsync());
        var room = Some.RoomId();
        var id = Some.EventId();

        string[] command = [.. await EntrypointAsync(), "--LoggingService:RetainDays=9"];
        await using var service = await Image.StartServiceAsync(User, _homeserver, Registration, _folder["logs"], command);
        Assert.Equal(200, await service.PushAsync(Some.Message(room, eventId: id)));
        Assert.Equal(0, await service.Process.StopAsync());

        Assert.Equal([id], LogFolder.EventIds(_folder["logs"], room));
        Assert.Contains("http://service:5000", await File.ReadAllTextAsync(_folder["settings", "registration.yaml"], Cancellation));
        var owner = await ProcessOutput.GetAsync("stat", "--format", "%u:%g", _folder["logs", room]);
        Assert.Equal(User, owner.Trim());
    }

    [Fact]
    public async Task The_image_knows_time_zones_and_certificate_authorities()
    {
        await UnpackAsync();
        await using var service = Image.Start(User, [.. await EntrypointAsync(), "--urls", "http://127.0.0.1:0"]);
        await service.WaitForLineAsync("in the time zone Europe/Berlin");

        // Where the image says that they are.
        var variables = (await ConfigAsync()).GetProperty("Env").EnumerateArray().Select(variable => variable.GetString()!.Split('='));
        var file = variables.Single(variable => variable[0] == "SSL_CERT_FILE")[1];
        var certificates = await File.ReadAllTextAsync(Image[file], Cancellation);
        Assert.InRange(certificates.Split("-----BEGIN CERTIFICATE-----").Length, 50, 500);
    }

    [Fact]
    public async Task The_image_contains_no_other_program_than_the_service()
    {
        await UnpackAsync();
        var root = _folder["bundle", "rootfs"];
        var executable = await ProcessOutput.GetAsync("find", root, "-type", "f", "-perm", "/111", "!", "-name", "*.so*");
        Assert.Equal("/usr/lib/logging-service/LoggingService", executable.Trim()[root.Length..]);
        Assert.Equal("", await ProcessOutput.GetAsync("find", root, "-perm", "/6000"));

        var config = await ConfigAsync();
        Assert.Equal(User, config.GetProperty("User").GetString());
        Assert.Equal("/logs", Assert.Single(config.GetProperty("Volumes").EnumerateObject()).Name);
    }

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    private async Task UnpackAsync()
    {
        var archive = await release.GetAsync("-oci-*.tar");
        await ProcessOutput.GetAsync("skopeo", "copy", "--quiet", $"oci-archive:{archive}", $"oci:{_folder["layout"]}:image");
        await ProcessOutput.GetAsync("umoci", "unpack", "--image", $"{_folder["layout"]}:image", _folder["bundle"]);
        Directory.CreateDirectory(_folder["logs"]);
        Directory.CreateDirectory(_folder["settings"]);
        await ProcessOutput.GetAsync("chown", User, _folder["logs"], _folder["settings"]);
    }

    private async Task<string[]> EntrypointAsync() =>
        [.. (await ConfigAsync()).GetProperty("Entrypoint").EnumerateArray().Select(argument => argument.GetString()!)];

    private async Task<JsonElement> ConfigAsync() => JsonElement.Parse(
        await ProcessOutput.GetAsync("skopeo", "inspect", "--config", $"oci:{_folder["layout"]}:image")).GetProperty("config");
}
