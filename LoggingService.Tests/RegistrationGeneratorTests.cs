using System.Runtime.Versioning;
using LoggingService.Options;
using LoggingService.Registration;

namespace LoggingService.Tests;

[UnsupportedOSPlatform("windows")]
public sealed class RegistrationGeneratorTests : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("registration ");

    private string Path => System.IO.Path.Combine(_folder.FullName, "registration.yaml");

    public void Dispose() => _folder.Delete(recursive: true);

    [Fact]
    public void A_created_registration_is_read_without_a_warning()
    {
        RegistrationGenerator.Write(Path);

        var registration = RegistrationReader.Read(Path);

        Assert.Empty(registration.Warnings);
        Assert.Equal("logging", registration.Id);
        Assert.Equal("http://localhost:5000", registration.ListenUrl);
        Assert.Equal("logging", registration.SenderLocalpart);
        Assert.True(registration.MatchesAliasNamespace("#logged_test:example.org"));
        Assert.False(registration.MatchesAliasNamespace("#other:example.org"));
        Assert.Matches("^[A-Za-z0-9_-]{64}$", registration.AsToken);
        Assert.Matches("^[A-Za-z0-9_-]{64}$", registration.HsToken);
    }

    [Fact]
    public void Each_created_registration_has_its_own_tokens()
    {
        var other = Path + "2";
        RegistrationGenerator.Write(Path);
        RegistrationGenerator.Write(other);

        var one = RegistrationReader.Read(Path);
        var two = RegistrationReader.Read(other);
        Assert.Equal(4, new HashSet<string> { one.AsToken, one.HsToken, two.AsToken, two.HsToken }.Count);
    }

    [Fact]
    public void Only_its_owner_can_read_a_created_registration()
    {
        RegistrationGenerator.Write(Path);

        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(Path));
        Assert.Equal([Path], Directory.GetFileSystemEntries(_folder.FullName));
    }

    [Fact]
    public void Strings_of_a_created_registration_are_quoted()
    {
        RegistrationGenerator.Write(Path);

        var values = File.ReadLines(Path).Select(line => line.Trim())
            .Where(line => line.Length > 0 && !line.StartsWith('#'))
            .Select(line => line.Contains(": ") ? line.Split(": ")[^1] : "")
            .Where(value => value.Length > 0);

        Assert.All(values, value => Assert.Matches("""^("[^"\\]+"|false|\[\])$""", value));
    }

    [Fact]
    public void An_existing_registration_is_never_overwritten()
    {
        File.WriteAllText(Path, "mine");

        var error = Assert.Throws<ConfigurationException>(() => RegistrationGenerator.Write(Path));

        Assert.Equal($"{Path}: the registration can't be created: the file exists already and was left unchanged", error.Message);
        Assert.Equal("mine", File.ReadAllText(Path));
        Assert.Single(Directory.GetFileSystemEntries(_folder.FullName));
    }

    [Fact]
    public void A_missing_folder_is_a_one_line_error()
    {
        var path = System.IO.Path.Combine(_folder.FullName, "missing", "registration.yaml");

        var error = Assert.Throws<ConfigurationException>(() => RegistrationGenerator.Write(path));

        Assert.Equal($"{path}: the registration can't be created: the folder doesn't exist", error.Message);
    }

    [Fact]
    public void The_next_steps_can_be_pasted_into_a_shell_and_into_homeserver_yaml()
    {
        var steps = RegistrationGenerator.NextSteps("/home/o'neil/my logs/registration.yaml");

        const string Source = "'/home/o'\\''neil/my logs/registration.yaml'";
        Assert.Contains($"\n     sudo install -m 640 -g matrix-synapse {Source} /etc/matrix-synapse/logging.yaml\n", steps);
        Assert.Contains("\n     app_service_config_files:\n       - /etc/matrix-synapse/logging.yaml\n", steps);
        Assert.Contains("\n     sudo systemctl restart matrix-synapse\n", steps);
    }
}
