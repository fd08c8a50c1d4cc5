using LoggingService.Logging;
using LoggingService.Cli;
using LoggingService.Files;
using LoggingService.Homeserver;
using LoggingService.Http;
using LoggingService.Options;
using LoggingService.Registration;
using LoggingService.RoomLogs;
using LoggingService.Rooms;
using LoggingService.Transactions;

// A mistake in what was configured is one line, and exit code 1.
try
{
    if (OperatingSystem.IsWindows())
    {
        throw new ConfigurationException("LoggingService runs on Linux and macOS. On Windows folders can't be named after room ids.");
    }

    return await CommandLine.RunAsync(args, Build);
}
catch (OperationCanceledException)
{
    // Stopped before it had begun.
    return 0;
}
catch (ConfigurationException mistake)
{
    Console.Error.WriteLine(mistake.Message);
    return 1;
}
catch (Exception e) when (e is InvalidDataException || e.Source == "Serilog.Settings.Configuration")
{
    // A file of settings that is no JSON, or something under Serilog that Serilog can't read.
    Console.Error.WriteLine($"The settings can't be read: {string.Join(' ', new[] { e.Message, e.GetBaseException().Message }.Distinct())}".ReplaceLineEndings(" "));
    return 1;
}

// The service, from settings like --LoggingService:Logs=/var/log/matrix. One that only checks listens nowhere and makes no registration.
static WebApplication Build(string[] settings, bool serves)
{
    // Settings are read once: to watch for changes would watch every folder beside them, the logs' among them.
    var builder = WebApplication.CreateSlimBuilder(new WebApplicationOptions { Args = [.. settings, "--hostBuilder:reloadConfigOnChange=false"], ContentRootPath = AppContext.BaseDirectory });

    // What the service is to do: its settings, and the registration that the homeserver reads too.
    var options = LoggingServiceOptions.Read(builder.Configuration);
    if (serves && !Path.Exists(options.Registration))
    {
        RegistrationGenerator.Write(options.Registration);
        Console.WriteLine(RegistrationGenerator.NextSteps(options.Registration));
    }

    var registration = AppServiceRegistration.Read(options.Registration);
    if (serves && string.IsNullOrEmpty(builder.Configuration["urls"]))
    {
        builder.WebHost.UseUrls(registration.ListenUrl
            ?? throw new ConfigurationException($"{options.Registration}: url is https, but this service speaks only http: let a proxy serve it, and say where this service listens for the proxy, with --urls http://localhost:5000."));
    }

    // Bodies are limited where they are read, with answers that a homeserver understands; of a stranger's no more is thrown away. A stop takes 10 s at most: 5 for requests in hand, 4 for the last checkpoint.
    builder.WebHost.ConfigureKestrel(kestrel => (kestrel.Limits.MaxRequestBodySize, kestrel.Limits.MaxConcurrentConnections, kestrel.AddServerHeader) = (1 << 20, OpenFileLimit.ForConnections, false));
    builder.Services.Configure<HostOptions>(host => host.ShutdownTimeout = TimeSpan.FromSeconds(5));

    builder.Services.AddServiceLog(builder.Configuration);
    builder.Services.AddSingleton(TimeProvider.System).AddSingleton(options).AddSingleton(registration);
    builder.Services.AddSingleton(services => new LogDirectory(options.Logs, services.GetRequiredService<TimeProvider>(), services.GetRequiredService<ILogger<LogDirectory>>()));
    builder.Services.AddHomeserver(options);
    builder.Services.AddSingleton<RequestBodyReader>().AddSingleton<TransactionEndpoint>().AddSingleton<RoomCreator>();
    builder.Services.AddSingleton<ServiceUser>().AddSingleton<ConnectionCheck>().AddSingleton<LoggedRooms>().AddSingleton<RoomAliases>().AddHostedService(services => services.GetRequiredService<RoomAliases>());
    builder.Services.AddSingleton<RoomActivity>().AddHostedService(services => services.GetRequiredService<RoomActivity>());
    builder.Services.AddHostedService<LogUpkeep>().AddHostedService<StartupCheck>();

    // The way of a request: its path as it was sent, our errors as Matrix's, the homeserver's token, the route.
    var app = builder.Build();
    app.Use(RawPathMiddleware.Restore(registration.PathBase));
    app.UseExceptionHandler(new ExceptionHandlerOptions { ExceptionHandler = ExceptionResponses.AnswerAsync });
    app.UseStatusCodePages(context => MatrixError.ForStatus(context.HttpContext.Response.StatusCode).ExecuteAsync(context.HttpContext));
    app.UseRouting();
    app.UseMiddleware<HomeserverAuthentication>();

    // Every route; all of them are the homeserver's alone. The older ones have no prefix (Application Service API, "Legacy routes").
    foreach (var root in (string[])["/_matrix/app/v1", ""])
    {
        app.MapPut($"{root}/transactions/{{**id:required}}", (HttpContext http, string id, TransactionEndpoint transactions) => transactions.ReceiveAsync(http.Request, id));
        app.MapGet($"{root}/rooms/{{**alias:required}}", (string alias, RoomCreator rooms) => rooms.EnsureExistsAsync(RawPathMiddleware.Decode(alias)));
        app.MapGet($"{root}/users/{{**userId:required}}", (string userId, ServiceUser user) => user.Is(RawPathMiddleware.Decode(userId)) ? MatrixError.Ok : MatrixError.NotFound);
    }

    app.MapPost("/_matrix/app/v1/ping", () => MatrixError.Ok);
    app.MapGet("/_matrix/app/v1/thirdparty/{**what}", () => MatrixError.NotFound);
    app.MapGet("/_matrix/app/unstable/thirdparty/{**what}", () => MatrixError.NotFound);

    StartupMessages.Say(app, options, registration);
    return app;
}
