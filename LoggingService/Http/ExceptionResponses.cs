using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Diagnostics;

namespace LoggingService.Http;

/// <summary>What a request that threw is answered with, and what the admin reads of it.</summary>
internal static partial class ExceptionResponses
{
    /// <summary>Answers with a Matrix error; what is a failure of ours is a 5xx, so that the homeserver sends it again.</summary>
    public static Task AnswerAsync(HttpContext context)
    {
        var logger = context.RequestServices.GetRequiredService<ILoggerFactory>().CreateLogger(typeof(ExceptionResponses).FullName!);
        return Answer(context.Features.Get<IExceptionHandlerFeature>()!.Error, logger).ExecuteAsync(context);
    }

    private static MatrixError Answer(Exception failure, ILogger logger)
    {
        switch (failure)
        {
            case MatrixException e:
                return e.Error;

            // It hung up, or didn't send what it announced.
            case BadHttpRequestException e:
                return MatrixError.ForStatus(e.StatusCode);

            case ConnectionResetException or OperationCanceledException:
                return MatrixError.ForStatus(StatusCodes.Status400BadRequest);

            default:
                Log.Mistake(logger, failure);
                return MatrixError.ForStatus(StatusCodes.Status500InternalServerError);
        }
    }

    private static partial class Log
    {
        [LoggerMessage(EventId = 1, Level = LogLevel.Error, Message = "A request failed because of a bug in LoggingService; please report it. The homeserver will try again.")]
        public static partial void Mistake(ILogger logger, Exception failure);
    }
}
