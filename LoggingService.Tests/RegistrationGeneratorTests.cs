using System.Runtime.Versioning;
using LoggingService.Options;
using LoggingService.Registration;

namespace LoggingService.Tests;

[UnsupportedOSPlatform("windows")]
public sealed class RegistrationGeneratorTests : IDisposable
{
    private readonly DirectoryInfo folder = Directory.CreateTempSubdirectory("registration ");

    private string Path => System.IO.Path.Combine(folder.FullName, "registration.yaml");

    public void Dispose() => folder.Delete(recursive: true);

    [Fact]
    public void A_made_registration_is_read_without_a_warning()
    {
        RegistrationGenerator.Write(Path);

        var registration = AppServiceRegistration.Read(Path);

        Assert.Empty(registration.Warnings);
        Assert.Equal("logging", registration.Id);
        Assert.Equal("http://localhost:5000", registration.ListenUrl);
        Assert.Equal("logging", registration.SenderLocalpart);
        Assert.True(registration.IsLoggedAlias("#logged_test:example.org"));
        Assert.False(registration.IsLoggedAlias("#other:example.org"));
        Assert.Matches("^[A-Za-z0-9_-]{64}$", registration.AsToken);
        Assert.Matches("^[A-Za-z0-9_-]{64}$", registration.HsToken);
    }

    [Fact]
    public void Every_made_registration_has_tokens_of_its_own()
    {
        var other = Path + "2";
        RegistrationGenerator.Write(Path);
        RegistrationGenerator.Write(other);

        var (one, two) = (AppServiceRegistration.Read(Path), AppServiceRegistration.Read(other));
        Assert.Equal(4, new HashSet<string> { one.AsToken, one.HsToken, two.AsToken, two.HsToken }.Count);
    }

    [Fact]
    public void Nobody_but_its_owner_may_read_a_made_registration()
    {
        RegistrationGenerator.Write(Path);

        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(Path));
        Assert.Equal([Path], Directory.GetFileSystemEntries(folder.FullName));
    }

    [Fact]
    public void Every_string_of_a_made_registration_is_quoted_for_every_reader_of_YAML()
    {
        RegistrationGenerator.Write(Path);

        var values = File.ReadLines(Path).Select(line => line.Trim())
            .Where(line => line.Length > 0 && !line.StartsWith('#'))
            .Select(line => line[(line.LastIndexOf(": ", StringComparison.Ordinal) is var i and >= 0 ? i + 2 : line.Length)..])
            .Where(value => value.Length > 0);

        Assert.All(values, value => Assert.Matches("""^("[^"\\]+"|false|\[\])$""", value));
    }

    [Fact]
    public void A_registration_that_is_there_is_never_overwritten()
    {
        File.WriteAllText(Path, "mine");

        var mistake = Assert.Throws<ConfigurationException>(() => RegistrationGenerator.Write(Path));

        Assert.Equal($"{Path}: the registration can't be made here: there is one already, which stays as it is", mistake.Message);
        Assert.Equal("mine", File.ReadAllText(Path));
        Assert.Single(Directory.GetFileSystemEntries(folder.FullName));
    }

    [Fact]
    public void A_folder_that_is_missing_is_told_in_one_line()
    {
        var path = System.IO.Path.Combine(folder.FullName, "missing", "registration.yaml");

        var mistake = Assert.Throws<ConfigurationException>(() => RegistrationGenerator.Write(path));

        Assert.Equal($"{path}: the registration can't be made here: there is no such folder", mistake.Message);
    }

    [Fact]
    public void The_next_steps_can_be_pasted_into_a_shell_and_into_homeserver_yaml()
    {
        var steps = RegistrationGenerator.NextSteps("/home/o'neil/my logs/registration.yaml");

        Assert.Contains("\n     sudo install -m 640 -g matrix-synapse '/home/o'\\''neil/my logs/registration.yaml' /etc/matrix-synapse/logging.yaml\n", steps);
        Assert.Contains("\n     app_service_config_files:\n       - /etc/matrix-synapse/logging.yaml\n", steps);
        Assert.Contains("\n     sudo systemctl restart matrix-synapse\n", steps);
    }
}
